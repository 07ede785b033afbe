# Sourced by the checks. It starts the portal as in production, with a certificate of an authority that is made for this one
# run, on free ports of 127.0.0.1. It ends the portal by its process id, and removes all files.
#
# After `start_portal`: $HTTPS and $HTTP are its addresses (127.0.0.1:port), $AUTHORITY is the file of the authority's
# certificate, $WORK the temporary directory, $PORTAL_PID the process.

set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PORTAL_PID=""
WORK=""

# needs PROGRAM PACKAGE: ends the check if a program is missing.
needs() {
  command -v "$1" >/dev/null && return
  echo "$(basename "$0"): $1 is not installed here. Debian has it in the package $2." >&2
  exit 2
}

# The last line of each check.
verdict() { # passed|failed, and the result
  echo "== $(basename "$0"): $1: $2"
  [ "$1" = passed ]
}

end_portal() {
  if [ -n "$PORTAL_PID" ] && kill -0 "$PORTAL_PID" 2>/dev/null; then
    kill "$PORTAL_PID" 2>/dev/null || true
    wait "$PORTAL_PID" 2>/dev/null || true
  fi
  PORTAL_PID=""
  [ -z "$WORK" ] || rm -rf "$WORK"
}
trap end_portal EXIT

# An authority and its certificate for localhost and 127.0.0.1, as a public authority would issue it: ECDSA P-256, 90 days.
make_certificate() { # directory for the two files
  local to="$1"
  if [ ! -f "$WORK/authority.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 90 \
      -keyout "$WORK/authority.key" -out "$WORK/authority.pem" -subj "/CN=Authority of a check" \
      -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
  fi
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
    -keyout "$to/key.new" -out "$WORK/request.pem" -subj "/CN=localhost" 2>/dev/null
  printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1" "extendedKeyUsage=serverAuth" \
    "keyUsage=critical,digitalSignature" "basicConstraints=critical,CA:FALSE" "subjectKeyIdentifier=hash" \
    "authorityKeyIdentifier=keyid" "crlDistributionPoints=URI:http://localhost/crl" >"$WORK/extensions"
  openssl x509 -req -in "$WORK/request.pem" -CA "$WORK/authority.pem" -CAkey "$WORK/authority.key" -sha256 -days 90 \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$WORK/extensions" -out "$to/chain.new" 2>/dev/null
  chmod 600 "$to/key.new"
  mv "$to/key.new" "$to/key.pem"
  mv "$to/chain.new" "$to/chain.pem"
}

# The peak memory of the portal so far, in MiB. The started process is `timeout`; the portal is its child.
portal_memory() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$(pgrep -P "$PORTAL_PID" | head -1)/status"; }

# The portal's own command line, in the installation of this run.
portal() { (in_production "$PROGRAM" "$@"); }

# Replaces this process by the program, so that its id is the one to end.
in_production() {
  exec env -i PATH="$PATH" RUST_LOG=warn DEWAR_MODE=production DEWAR_DATA="$WORK/data" DEWAR_MAIL_TRANSPORT=none \
    DEWAR_HTTPS_ADDRESS=127.0.0.1:0 DEWAR_HTTPS_HTTP_ADDRESS=127.0.0.1:0 DEWAR_HTTPS_HOSTS=localhost,127.0.0.1 \
    DEWAR_HTTPS_CERTIFICATE="$WORK/tls/chain.pem" DEWAR_HTTPS_KEY="$WORK/tls/key.pem" "${SETTINGS[@]}" "$@"
}

# start_portal [SETTING=value ...]: with further settings in the environment.
start_portal() {
  SETTINGS=("$@")
  PROGRAM="${PORTAL:-}"
  if [ -z "$PROGRAM" ]; then
    cargo build --quiet --release -p portal --manifest-path "$ROOT/Cargo.toml"
    PROGRAM="${CARGO_TARGET_DIR:-$ROOT/target}/release/portal"
  fi
  [ -n "$WORK" ] || WORK="$(mktemp -d)"
  mkdir -m 700 "$WORK/data" "$WORK/tls"
  make_certificate "$WORK/tls"
  AUTHORITY="$WORK/authority.pem"
  portal keys new >/dev/null
  # It ends by itself, even if the check does not end it.
  (in_production timeout "${CHECK_SECONDS:-3600}" "$PROGRAM" serve >"$WORK/said" 2>"$WORK/log") &
  PORTAL_PID=$!
  for _ in $(seq 100); do
    grep -q 'redirects there' "$WORK/said" 2>/dev/null && break
    kill -0 "$PORTAL_PID" 2>/dev/null || { cat "$WORK/said" "$WORK/log" >&2; exit 1; }
    sleep 0.1
  done
  HTTPS="127.0.0.1:$(grep -o 'https://localhost:[0-9]*' "$WORK/said" | head -1 | grep -o '[0-9]*$')"
  HTTP="127.0.0.1:$(grep -o 'http://localhost:[0-9]*' "$WORK/said" | head -1 | grep -o '[0-9]*$')"
}

# add_person ADDRESS ROLE: adds a user with a password that the check knows.
PASSWORD="eleven quiet herons by the weir"
add_person() { printf '%s' "$PASSWORD" | portal users add --email "$1" --role "$2" --password-stdin >/dev/null; }

# sign_in ADDRESS: prints the line that sets the session's cookie.
sign_in() { python3 "$ROOT/checks/sign_in.py" "$HTTPS" "$AUTHORITY" "$1" "$PASSWORD"; }
