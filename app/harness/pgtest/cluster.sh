# Runs one throwaway PostgreSQL cluster for as long as standard input is open.
# Says "ready" once it answers; anything else on standard output is why it
# does not. Whoever started this need not clean up: when that process ends,
# however it ends, the kernel closes the pipe, and the cluster goes with it.
#
# usage: sh -c "$(cat cluster.sh)" sh BINDIR DIR INITDB_OPTIONS SERVER_OPTIONS
bin=$1 dir=$2 initdb_options=$3 server_options=$4

{
	# Unquoted on purpose: several options, none of which holds a space.
	"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C $initdb_options &&
		"$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "$server_options" start
} >"$dir/start.log" 2>&1 </dev/null
if [ $? -eq 0 ]; then
	echo ready
	read -r _
	"$bin/pg_ctl" -D "$dir/data" -m immediate stop >"$dir/stop.log" 2>&1 </dev/null
else
	cat "$dir/start.log" "$dir/log" 2>/dev/null
fi
rm -rf "$dir"
