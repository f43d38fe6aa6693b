#!/usr/bin/env bash
# Makes the spoken encoder anew, in about an hour and a half on two cores:  bash spoken-encoder/make.sh [FOLDER]
# FOLDER (default: a temporary one) takes the sentences, 1.1 GB, and the data folder in which they are learnt.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mkdir -p "${1:-/tmp/domainssl-spoken}" && cd "${1:-/tmp/domainssl-spoken}" && pwd)

missing=()
for package in espeak-ng flite fortunes wamerican hunspell-en-med jq; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Install what the sentences are made of first: apt-get install ${missing[*]}" >&2
    exit 1
fi

dotnet run spoken-encoder/generate.cs -- --out "$work/sentences"
dotnet build -c Release src/DomainSsl.Web
src/DomainSsl.Web/bin/Release/net10.0/domainssl finetune --labels "$work/sentences/sentences.csv" --encoder scratch --name spoken \
    --set steps=7000 --set rounds=1 --set heldOut=0.03 --here --json --data "$work/data" | tee "$work/result.json"
dotnet run spoken-encoder/pack.cs -- "$work/data/models/$(tail -n 1 "$work/result.json" | jq -r .model)/transcriber" src/DomainSsl.Learning/Weights/spoken.safetensors
