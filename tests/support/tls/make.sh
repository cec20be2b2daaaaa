#!/bin/sh
# Makes the certificates of the test servers anew. Their keys are secret to nobody: nothing but the tests trusts them.
set -eu
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -sha256 \
    -subj '/CN=latido tests' -keyout ca.key -out ca.pem \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -sha256 \
    -subj '/CN=localhost' -keyout server.key -out server.pem -CA ca.pem -CAkey ca.key \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1'
rm ca.key
