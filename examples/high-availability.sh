#!/bin/bash
# Two nodes that both take writes and answer queries, and both may compact: one is in office, the other takes over when it dies.
source "$(dirname "$0")/cluster.sh"

node host01 8181 ingest,query,compact "$@"
node host02 8282 ingest,query,compact "$@"
serve
