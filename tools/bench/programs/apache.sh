# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# what: apache2 prefork, 50 servers, a CGI script under ab
# runs: 1
# table: yes
modules=/usr/lib/apache2/modules
cat >"$RUN/conf" <<EOF
ServerRoot $RUN
ServerName localhost
PidFile $RUN/pid
ErrorLog $RUN/log
Listen 127.0.0.1:8080
User www-data
Group www-data
Mutex posixsem
LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule alias_module $modules/mod_alias.so
LoadModule cgi_module $modules/mod_cgi.so
ScriptAlias /cgi/ $RUN/cgi/
StartServers 50
MinSpareServers 50
MaxSpareServers 60
MaxRequestWorkers 60
MaxConnectionsPerChild 10
EOF
mkdir "$RUN/cgi"
printf '#!/bin/sh\necho "Content-Type: text/plain"\necho\necho hello\n' >"$RUN/cgi/hello"
chmod -R a+rx "$RUN"
# It ends by a signal to its whole process group.
setsid apache2 -f "$RUN/conf" -D FOREGROUND &
server=$!
until_works ab -q -n 1 http://127.0.0.1:8080/cgi/hello
ab -q -c 20 -n 200 http://127.0.0.1:8080/cgi/hello >"$RUN/ab"
kill -TERM $server
wait $server || true
grep -q 'Failed requests: *0' "$RUN/ab"
