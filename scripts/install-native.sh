#!/usr/bin/env bash
# The native backend where @tensorflow/tfjs-node cannot download TensorFlow's C library: takes the library from the Python
# package tensorflow-cpu, which exports the same C API, and builds the addon from the sources in the npm package.
#
#   scripts/install-native.sh                 install; safe to run again, and after npm ci, which removes it
#   scripts/install-native.sh --wheel FILE    the same from a wheel that was brought here by hand
#   scripts/install-native.sh --fetch DIR     only download the wheel into DIR, to be carried to such a machine
#   scripts/install-native.sh --remove        undo it
#
# Needs bash, node with its headers, npm, python3 with pip, a C++ compiler and make; Linux on x86-64 with glibc. What is
# unpacked (600 MB) is kept in ${XDG_CACHE_HOME:-~/.cache}/feature-speed and used from there; files that git tracks are left
# alone. Exit codes: 0 it works, 1 it does not, 2 misuse.
set -euo pipefail

# The smallest wheel of those that have libtensorflow_cc (2.12 and later). Of the 2.9.1 that tfjs-node asks for there is
# none any more; the C API has only grown since.
VERSION=2.15.1
WHEEL=tensorflow_cpu-$VERSION-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
WHEEL_SHA256=54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26
LIBRARY_SHA256=26c52413c74ae9495f742c93b87fcb515c9010627f3feb5ad29b65dff901a2ee
FRAMEWORK_SHA256=1ed1f34811d338f934cb01155be51963f7a8ef4155cd201d0fba34b27425fc6b
# The highest version of Node's C interface that tfjs-node knows; every Node from 20 on has it.
NAPI=8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
package=$root/node_modules/@tensorflow/tfjs-node
cache=${XDG_CACHE_HOME:-$HOME/.cache}/feature-speed/tensorflow-cpu-$VERSION
# Says that what stands beside it is ours to remove.
mark=$package/deps/from-tensorflow-cpu

say() { printf 'install-native: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
need() { command -v "$1" >/dev/null || fail "$1 is missing: $2"; }

wheel='' fetch='' remove=''
while (($# > 0)); do
  case $1 in
    --wheel | --fetch)
      (($# > 1)) || { say "$1 needs a path"; exit 2; }
      if [[ $1 == --wheel ]]; then wheel=$(realpath "$2"); else fetch=$2; fi
      shift
      ;;
    --remove) remove=yes ;;
    -h | --help)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *)
      say "unknown option $1; --help lists them"
      exit 2
      ;;
  esac
  shift
done

# download DIR: the wheel, its sum checked by pip.
download() {
  need python3 'it downloads and unpacks the library'
  python3 -m pip --version >/dev/null 2>&1 || fail 'pip is missing: install it, or give --wheel FILE'
  local wanted
  wanted=$(mktemp)
  echo "tensorflow-cpu==$VERSION --hash=sha256:$WHEEL_SHA256" >"$wanted"
  say "downloading tensorflow-cpu $VERSION (200 MB)"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --retries 1 --timeout 20 \
    --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 --platform manylinux2014_x86_64 \
    --require-hashes --requirement "$wanted" --dest "$1" >&2 || {
    rm -f "$wanted"
    fail 'the Python package index cannot be reached; bring the wheel here and give --wheel FILE (see --help)'
  }
  rm -f "$wanted"
}

are_sums_right() {
  printf '%s  %s\n' "$LIBRARY_SHA256" "$1/lib/libtensorflow_cc.so.2" \
    "$FRAMEWORK_SHA256" "$1/lib/libtensorflow_framework.so.2" | sha256sum --check --status 2>/dev/null
}

# One operation on the backend; prints the versions.
compute() {
  (cd "$root" && TF_CPP_MIN_LOG_LEVEL=2 node --no-deprecation -e '
    const util = require("node:util"); // of which Node 23 has less than tfjs-node calls
    util.isNullOrUndefined = (value) => value === null || value === undefined;
    util.isArray = Array.isArray;
    const tf = require("@tensorflow/tfjs-node");
    const sum = tf.sum(tf.tensor1d([1, 2, 3])).dataSync()[0];
    if (sum !== 6) throw new Error(`1 + 2 + 3 = ${sum}`);
    console.log(`tfjs-node ${tf.version["tfjs-node"]}, TensorFlow ${tf.backend().binding.TF_Version}`);
  ')
}

if [[ -n $wheel && ! -f $wheel ]]; then
  say "there is no file $wheel; --fetch DIR downloads it, on a machine that can"
  exit 2
fi

if [[ -n $fetch ]]; then
  mkdir -p "$fetch"
  download "$fetch"
  say "$fetch/$WHEEL"
  exit 0
fi

if [[ -n $remove ]]; then
  if [[ ! -e $package ]]; then
    say 'it is not installed; nothing to remove'
    exit 0
  fi
  [[ -e $mark ]] || fail "$package was not made by this script; nothing is removed"
  # With what came with it, and nothing else; package.json and the lock file stay as they are.
  (cd "$root" && npm uninstall --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @tensorflow/tfjs-node >&2)
  rm -rf "$package"
  say 'removed from node_modules'
  [[ ! -d $cache ]] || say "the library stays for other checkouts; to remove it too: rm -r '$cache'"
  exit 0
fi

need node 'see https://nodejs.org'
need npm 'it comes with Node'
if versions=$(compute 2>/dev/null) && [[ ! -e $mark ]]; then
  say "nothing to do: the native backend works as it is, $versions"
  exit 0
fi
platform=$(node -p 'process.platform + "-" + process.arch + (process.report.getReport().header.glibcVersionRuntime ? "" : "-musl")')
[[ $platform == linux-x64 ]] ||
  fail "this is $platform, and the library is for linux-x64 with glibc; feature-speed works without, on wasm"
[[ -d $root/node_modules ]] || fail 'run npm ci first'

# The package, and what it depends on; whatever it would download itself is brought below.
if [[ ! -e $package/binding.gyp || ! -e $root/node_modules/@mapbox/node-pre-gyp ]]; then
  tfjs_node=@tensorflow/tfjs-node@$(node -p 'require(process.argv[1]).peerDependencies["@tensorflow/tfjs-node"]' "$root/package.json")
  # As optional, since of what is no more than a peer npm installs nothing.
  say "adding $tfjs_node and its dependencies to node_modules"
  (cd "$root" && npm install --no-save --save-optional --ignore-scripts --no-audit --no-fund --prefer-offline \
    --loglevel=error --fetch-retries=1 --fetch-timeout=30000 "$tfjs_node" >&2) || fail 'the npm registry cannot be reached'
  [[ -e $package/binding.gyp ]] || fail "npm did not install $tfjs_node"
fi
if compgen -G "$package/deps/lib/libtensorflow*" >/dev/null && [[ ! -e $mark ]]; then
  fail "$package/deps has a library of its own; npm rebuild @tensorflow/tfjs-node uses it, or remove it and run this again"
fi

# The library and its headers.
if ! are_sums_right "$cache"; then
  [[ ! -d $cache ]] || say "$cache is damaged, and made anew"
  mkdir -p "$(dirname "$cache")"
  scratch=$(mktemp -d "$(dirname "$cache")/unpacking.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  if [[ -z $wheel ]]; then
    download "$scratch"
    wheel=$scratch/$WHEEL
  fi
  echo "$WHEEL_SHA256  $wheel" | sha256sum --check --status || fail "$wheel is not the wheel of $VERSION that is expected"
  need python3 'it unpacks the library'
  say "unpacking into $cache (600 MB)"
  python3 - "$wheel" "$scratch/new" <<'PYTHON'
import re, shutil, sys
from pathlib import Path
from zipfile import ZipFile

wheel, target = ZipFile(sys.argv[1]), Path(sys.argv[2])
wanted = re.compile(
    r"tensorflow/(?:(?P<lib>libtensorflow_(?:cc|framework)\.so\.2)"
    r"|(?P<include>include/(?:tensorflow/(?:c|tsl)/|tensorflow/core/platform/ctstring|tsl/(?:c/|platform/ctstring)).*))"
)
for name in wheel.namelist():
    match = wanted.fullmatch(name)
    if not match or name.endswith("/"):
        continue
    path = target / ("lib/" + match["lib"] if match["lib"] else match["include"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with wheel.open(name) as source, path.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
PYTHON
  are_sums_right "$scratch/new" || fail 'the unpacked library is damaged; is the disk full?'
  rm -rf "$cache"
  # Of two at once one is first; what the other has unpacked is the same.
  mv -T "$scratch/new" "$cache" 2>/dev/null || are_sums_right "$cache" || fail "$cache cannot be written"
  rm -rf "$scratch"
fi

# Where binding.gyp looks. The addon is linked with libtensorflow.so, and asks for the names that the libraries give themselves.
rm -rf "$package/deps"
mkdir -p "$package/deps/lib"
touch "$mark"
ln -s "$cache/include" "$package/deps/include"
for name in libtensorflow.so libtensorflow_cc.so.2; do
  ln -s "$cache/lib/libtensorflow_cc.so.2" "$package/deps/lib/$name"
done
for name in libtensorflow_framework.so libtensorflow_framework.so.2; do
  ln -s "$cache/lib/libtensorflow_framework.so.2" "$package/deps/lib/$name"
done

# The addon: of one version of tfjs-node and any Node, since its C interface does not change.
addon=$cache/tfjs-node-$(node -p "require('$package/package.json').version")-napi-v$NAPI.node
built=$package/lib/napi-v$NAPI/tfjs_binding.node
if [[ ! -e $addon ]]; then
  need make 'on Debian: apt-get install make g++'
  command -v c++ >/dev/null || command -v g++ >/dev/null || fail 'a C++ compiler is missing: on Debian: apt-get install g++'
  need python3 'node-gyp needs it'
  npm_root=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  gyp=$npm_root/node_modules/node-gyp/bin/node-gyp.js
  [[ -e $gyp ]] || gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
  [[ -e $gyp ]] || fail 'npm has no node-gyp'
  # Beside Node; without them node-gyp downloads them, where it can.
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  headers=()
  [[ ! -e $prefix/include/node/node_api.h ]] || headers=("--nodedir=$prefix")
  say 'building the addon'
  log=$(mktemp)
  (cd "$package" && node "$gyp" rebuild "${headers[@]}" --module_name=tfjs_binding \
    "--module_path=$(dirname "$built")" "--napi_build_version=$NAPI") >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "node-gyp failed; all it said is in $log"
  }
  rm -f "$log"
  cp "$built" "$addon.$$" && mv "$addon.$$" "$addon"
  rm -rf "$package/build"
fi
mkdir -p "$(dirname "$built")"
cp "$addon" "$built"

versions=$(compute 2>&1) || fail "built, but it does not load: $(grep -m 1 -E 'Error|error' <<<"$versions" || tail -n 1 <<<"$versions")"
say "the native backend works: $versions"
