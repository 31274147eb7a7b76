# Read by the scripts beside it; README.md says what can be set from outside.
#
#   node NAME PORT MODES [OPTION...]   starts a node of the cluster here; the options go to it as they are
#   serve                              waits until all nodes serve, then until Ctrl-C, and stops them

# Each node in a process group of its own, so that Ctrl-C reaches this script alone and a node is asked to stop once.
set -m

program=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)/bin/influxdb3
cluster=${INFLUXDB3_CLUSTER_ID:-cluster01}
folder=${FOLDER:-$PWD/tidelake-example}
start_seconds_max=60

names=()
works=()
pids=()
commands=()

node() {
  local name=$1 port=$2 modes=$3
  shift 3
  [ "${PORTS:-}" != any ] || port=0
  local command=("$program" serve --node-id "$name" --cluster-id "$cluster" --mode "$modes" --http-bind "127.0.0.1:$port")
  # Without a word about a store it is a folder of this machine.
  case " ${INFLUXDB3_OBJECT_STORE:+--object-store }$* " in
    *' --object-store'[\ =]*) ;;
    *) command+=(--object-store file --data-dir "$folder/store") ;;
  esac
  # Nobody but this machine reaches these nodes; AUTH=on asks for tokens all the same.
  [ "${AUTH:-off}" = on ] || command+=(--without-auth)

  mkdir -p "$folder" || exit 1
  rm -f "$folder/$name.address"
  "${command[@]}" --tcp-listener-file-path "$folder/$name.address" "$@" >"$folder/$name.log" 2>&1 </dev/null &
  names+=("$name")
  works+=("$modes")
  pids+=("$!")
  # What was given to the script may be secret, and is not shown.
  local quoted
  quoted=$(printf '%q ' "${command[@]}")
  commands+=("${quoted//\\,/,}")
  trap stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

serve() {
  local index
  for index in "${!names[@]}"; do await_node "$index"; done
  echo "All nodes serve. Their logs are in $folder. Ctrl-C stops them."
  # Nodes may end, or be killed, one by one: that is what the others are for. Bash has words of its own for it, on its standard error.
  while [ "${#pids[@]}" -gt 0 ]; do
    for index in "${!pids[@]}"; do
      kill -0 "${pids[index]}" 2>/dev/null || report_end "$index"
    done
    sleep 0.5
  done 2>/dev/null
}

await_node() {
  local name=${names[$1]} pid=${pids[$1]} until=$((SECONDS + start_seconds_max))
  until [ -s "$folder/$name.address" ]; do
    if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$until" ]; then
      echo "error: $name does not serve; the end of $folder/$name.log:" >&2
      tail -n 5 "$folder/$name.log" >&2
      exit 1
    fi
    sleep 0.2
  done
  echo "$name (${works[$1]}) serves http://$(cat "$folder/$name.address") (process $pid)"
}

report_end() {
  local status=0
  wait "${pids[$1]}" || status=$?
  unset "pids[$1]"
  echo "${names[$1]} ended with status $status. To start it again, in another terminal, with the options you gave to $0:"
  echo "  ${commands[$1]}"
}

stop() {
  trap - INT TERM HUP EXIT
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid"; done
}
