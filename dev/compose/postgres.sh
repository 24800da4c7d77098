#!/bin/sh
# Starts PostgreSQL with the user and database of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB; makes them the first time.
set -eu
data=/var/lib/postgresql/data
if [ ! -d "$data" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  /postgres/bin/initdb -D "$data.new" -U "$POSTGRES_USER" -A scram-sha-256 --pwfile=/tmp/password -E UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo "CREATE DATABASE $POSTGRES_DB" | /postgres/bin/postgres --single -D "$data.new" postgres >/dev/null
  echo "host all all all scram-sha-256" >>"$data.new/pg_hba.conf"
  mv "$data.new" "$data"
fi
exec /postgres/bin/postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
