#!/bin/bash
# Two nodes that take writes and answer queries, and a third that does nothing but compact.
source "$(dirname "$0")/cluster.sh"

node host01 8181 ingest,query "$@"
node host02 8282 ingest,query "$@"
node host03 8585 compact "$@"
serve
