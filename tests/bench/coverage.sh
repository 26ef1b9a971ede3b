#!/bin/bash
# coverage: how much of what Debian's servers and tools run between their system calls is lifted.
#	coverage.sh [UBTOOL [RESULTS [NAME...]]]
#
# Unpacks the packages below build/, drives each program over loopback or through pipes while "ubtool lift record"
# watches it, and writes the shares to RESULTS.  Nothing is installed or configured on this machine; it takes root or
# the right to trace one's own processes, and apt.  Profiles stay in build/coverage/ for "ubtool lift report".
set -u
cd "$(dirname "$0")/../.." || exit 1
ubtool=${1:-build/ubtool}
results=${2:-build/results/coverage.json}
wanted=" ${*:3} "
base=$PWD/build/coverage
root=$base/root
client=build/tests/bench/client
packages=(redis-server nginx memcached sqlite3 coreutils grep)
steps=${STEPS:-150000}
# AVX-512 ends a block; where the processor has it the C library is told to leave it alone.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-RTM,-Prefer_No_VZEROUPPER
export LC_ALL=C

dir=$(mktemp -d)
mine=()
finish() {
	local pid

	for pid in "${mine[@]}"; do
		kill "$pid" 2> /dev/null
	done
	rm -rf "$dir"
}
trap finish EXIT

fail() { echo "coverage: $*" >&2; exit 1; }

# What is missing on this machine, unpacked; nothing when all is installed.
unpack() {
	local missing deb

	mapfile -t missing < <(apt-get -s install --no-install-recommends "${packages[@]}" 2> /dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
	[ ${#missing[@]} -gt 0 ] || return 0
	mkdir -p "$base/debs" "$root"
	chmod 755 "$base" "$base/debs"
	for deb in "${missing[@]}"; do
		ls "$base/debs/${deb}_"*.deb > /dev/null 2>&1 ||
			(cd "$base/debs" && apt-get -q download "$deb" > /dev/null 2>&1) || fail "cannot download $deb"
	done
	for deb in "$base"/debs/*.deb; do
		dpkg -x "$deb" "$root" || fail "cannot unpack $deb"
	done
}

# start COMMAND...: in the background; its pid in $last.
start() {
	"$@" < /dev/null > "$dir/out" 2> "$dir/err" &
	last=$!
	mine+=("$last")
}

stop() {
	local pid

	for pid in "$@"; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
}

free_port() {
	local port

	for port in $(shuf -i 20000-45000 -n 50); do
		(exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo "$port"; return; }
	done
}

wait_port() {
	local i

	for i in $(seq 100); do
		(exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return
		sleep 0.1
	done
	fail "nobody listens on port $1: $(cat "$dir/err")"
}

find_program() {
	local path

	for path in "$root/usr/bin/$1" "$root/usr/sbin/$1" "/usr/bin/$1" "/bin/$1" "/usr/sbin/$1"; do
		[ -x "$path" ] && { echo "$path"; return; }
	done
	fail "no program $1"
}

is_wanted() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

declare -A shares details
# measure NAME PID: watches and reports.
measure() {
	local profile=$base/$1.profile report

	sleep 1
	kill -0 "$2" 2> /dev/null || fail "$1 has ended: $(cat "$dir/err")"
	"$ubtool" lift record "$2" -o "$profile" insns "$steps" seconds 60 > /dev/null || fail "$1 cannot be recorded"
	kill -0 "$2" 2> /dev/null || fail "$1 did not survive being watched: $(cat "$dir/err")"
	report=$("$ubtool" -j lift report "$profile") || fail "$1: no report"
	shares[$1]=$(sed -n 's/.*"lifted_share":\([0-9.]*\).*/\1/p' <<< "$report")
	details[$1]=$report
	echo "== $1"
	"$ubtool" lift report "$profile"
}

# --- the programs ---

# A command that is stepped takes long; that is not to be logged.
run_redis() {
	local port server bench

	port=$(free_port)
	start env LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" "$(find_program redis-server)" --port "$port" --bind 127.0.0.1 \
		--save '' --appendonly no --daemonize no --dir "$dir" --slowlog-log-slower-than -1
	server=$last
	wait_port "$port"
	bench=(env LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" "$(find_program redis-benchmark)" -p "$port" -r 10000 -q)
	"${bench[@]}" -t set -n 50000 > /dev/null 2>&1
	for name in get set; do
		is_wanted "redis_$name" || continue
		start "${bench[@]}" -t "$name" -n 100000000 -c 8
		measure "redis_$name" "$server"
		stop "$last"
	done
	stop "$server"
}

run_nginx() {
	local port server worker

	port=$(free_port)
	mkdir -p "$dir/www" "$dir/logs"
	chmod 755 "$dir"
	head -c 4096 /dev/zero | tr '\0' x > "$dir/www/index.html"
	cat > "$dir/nginx.conf" <<-END
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/logs/error.log;
		events { worker_connections 768; }
		http {
			sendfile on;
			tcp_nopush on;
			types_hash_max_size 2048;
			default_type application/octet-stream;
			access_log $dir/logs/access.log;
			keepalive_requests 1000000000;
			client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
			server { listen 127.0.0.1:$port; root $dir/www; }
		}
	END
	start env LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" "$(find_program nginx)" -p "$dir" -e "$dir/logs/error.log" \
		-c "$dir/nginx.conf"
	server=$last
	wait_port "$port"
	worker=$(cat "/proc/$server/task/$server/children")
	start "$client" "$port" 4 'GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: client/1.0\r\nAccept: */*\r\n\r\n'
	measure nginx "${worker%% *}"
	stop "$last" "$server"
}

# One worker: it would keep others waiting while it is stepped.
run_memcached() {
	local port server user=()

	port=$(free_port)
	[ "$(id -u)" = 0 ] && user=(-u root)
	start env LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" "$(find_program memcached)" -l 127.0.0.1 -p "$port" -U 0 -t 1 "${user[@]}"
	server=$last
	wait_port "$port"
	start "$client" "$port" 4 'set key:1 0 0 10\r\n0123456789\r\n' 'get key:1\r\n' 'set key:22 0 0 32\r\n0123456789abcdef0123456789abcdef\r\n' \
		'get key:22\r\n' 'get key:1 key:22\r\n' 'get nothing\r\n'
	measure memcached "$server"
	stop "$last" "$server"
}

run_dd() {
	start "$(find_program dd)" if=/dev/zero of=/dev/null bs=512
	measure dd "$last"
	stop "$last"
}

run_cat() {
	truncate -s 100G "$dir/large"
	"$(find_program cat)" "$dir/large" > /dev/null &
	last=$!
	mine+=("$last")
	measure cat "$last"
	stop "$last"
}

run_grep() {
	local i trees=()

	for i in $(seq 500); do
		trees+=(/usr/include/linux)
	done
	start "$(find_program grep)" -rc 'struct .*page' "${trees[@]}"
	measure grep "$last"
	stop "$last"
}

run_sqlite3() {
	local sqlite

	sqlite=$(find_program sqlite3)
	"$sqlite" "$dir/db" 'create table t (id integer primary key, name text, value int);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
		insert into t select i, printf("name%d", i * 7919 % 20000), i % 100 from n; create index names on t (name);'
	mkfifo "$dir/statements"
	# The pages do not fit its cache, so that it reads them.
	awk 'BEGIN { print "pragma cache_size = 20;"; for (i = 1; ; i = (i * 7919 + 13) % 20000)
		printf "select id, value from t where name = \x27name%d\x27;\nselect name from t where id = %d;\n", i, i }' \
		> "$dir/statements" &
	mine+=($!)
	"$sqlite" "$dir/db" < "$dir/statements" > "$dir/answers" &
	last=$!
	mine+=("$last")
	measure sqlite3 "$last"
	stop "$last"
}

# --- the results ---

write_results() {
	local name first=1 host

	host="$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
	mkdir -p "$(dirname "$results")"
	{
		printf '{"schema":"ub-results/1","command":"make bench-coverage","host":"%s","figures":{' "$host"
		for name in "${names[@]}"; do
			[ -n "${shares[$name]-}" ] || continue
			[ $first = 1 ] || printf ','
			first=0
			printf '"%s":%s' "$name" "${shares[$name]}"
		done
		printf '},"detail":{'
		first=1
		for name in "${names[@]}"; do
			[ -n "${details[$name]-}" ] || continue
			[ $first = 1 ] || printf ','
			first=0
			printf '"%s":%s' "$name" "${details[$name]}"
		done
		printf '}}\n'
	} > "$results"
}

names=(redis_get redis_set nginx memcached dd cat grep sqlite3)
mkdir -p "$base"
unpack
if is_wanted redis_get || is_wanted redis_set; then
	run_redis
fi
for name in nginx memcached dd cat grep sqlite3; do
	if is_wanted "$name"; then
		"run_$name"
	fi
done
write_results
for name in "${names[@]}"; do
	[ -n "${shares[$name]-}" ] && printf '%-10s %s\n' "$name" "${shares[$name]}"
done
