#!/bin/bash
# Two nodes that both take writes and answer queries; the first one also compacts.
source "$(dirname "$0")/cluster.sh"

node host01 8181 ingest,query,compact "$@"
node host02 8282 ingest,query "$@"
serve
