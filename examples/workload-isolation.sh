#!/bin/bash
# Five nodes, each with one kind of work: two take writes, one compacts, two answer queries.
source "$(dirname "$0")/cluster.sh"

node host01 8181 ingest "$@"
node host02 8282 ingest "$@"
node host03 8585 compact "$@"
node host04 8383 query "$@"
node host05 8484 query "$@"
serve
