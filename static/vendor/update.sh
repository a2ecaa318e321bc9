#!/bin/sh
# Fetches what is vendored here, at the versions below, and builds the icon
# sprite from icons.txt. Needs npm. Run it from anywhere; then run the tests of
# views, which hold the weight of a page against its budget.
set -eu

HTMX=2.0.11
IDIOMORPH=0.8.0
BASECOAT=1.0.2
LUCIDE=1.62.0
AXE=4.14.1

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

take() { # name version: unpacks the package into a folder of that name
	tarball=$(npm pack --silent "$1@$2")
	mkdir "$1"
	tar -xzf "$tarball" -C "$1" --strip-components=1
}

take htmx.org "$HTMX"
cp htmx.org/dist/htmx.min.js "$here/htmx.min.js"
cp htmx.org/LICENSE "$here/htmx.LICENSE"

take idiomorph "$IDIOMORPH"
cp idiomorph/dist/idiomorph-ext.min.js "$here/idiomorph-ext.min.js"
cp idiomorph/LICENSE "$here/idiomorph.LICENSE"

take basecoat-css "$BASECOAT"
cp basecoat-css/dist/basecoat.cdn.min.css "$here/basecoat.min.css"
cp basecoat-css/LICENSE.md "$here/basecoat.LICENSE"

take lucide-static "$LUCIDE"
cp lucide-static/LICENSE "$here/lucide.LICENSE"
{
	printf '<svg xmlns="http://www.w3.org/2000/svg">\n'
	while read -r icon; do
		printf '<symbol id="%s" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">' "$icon"
		sed -n '/<svg/,/<\/svg>/p' "lucide-static/icons/$icon.svg" | tr '\n' ' ' | sed 's/<svg[^>]*>//; s/<\/svg>//; s/  */ /g; s/^ //; s/ $//'
		printf '</symbol>\n'
	done <"$here/icons.txt"
	printf '</svg>\n'
} >"$here/icons.svg"

take axe-core "$AXE"
cp axe-core/axe.min.js "$here/../../app/harness/browser/axe.min.js"
cp axe-core/LICENSE "$here/../../app/harness/browser/axe.LICENSE"
