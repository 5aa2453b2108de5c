#!/usr/bin/env python3
"""Makes the container images of strait and strait-gateway from a build's own programs: without a network, without a
container engine, and byte for byte the same from the same files.

usage: deploy/image/build.py [--programs DIR] [--out DIR] [--tag TAG] [--registry PREFIX]

  --programs DIR     where strait and strait-gateway are (build/release/cmd)
  --out DIR          where strait.tar and strait-gateway.tar go (build/images)
  --tag TAG          tag of the images (the project's version)
  --registry PREFIX  in front of the names, "registry.example.com/team/"; default: nothing

An image holds the program (stripped), the shared libraries that it is linked to, the system's root certificates, and a
user that is not root. The first layer, of what strait-gateway needs, is the same in both. The files are docker
archives: `docker load`, `podman load`, `ctr -n k8s.io images import` and `skopeo copy docker-archive:` take them.
Times in them are those of SOURCE_DATE_EPOCH, or zero. Exit codes: 0 done, 1 failed, 2 wrong use.
"""
import argparse
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER = 65532
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
TEXTS = {
    "/etc/passwd": f"root:x:0:0:root:/:/none\nstrait:x:{USER}:{USER}:strait:/:/none\n",
    "/etc/group": f"root:x:0:\nstrait:x:{USER}:\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}
FOLDERS = {"/tmp": 0o1777, "/var/lib/strait": 0o755, "/var/lib/strait-gateway": 0o755}
# Written to at run time; volumes are mounted over them where the root is read-only.
OWNED = {"/var/lib/strait", "/var/lib/strait-gateway"}
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


class Failed(Exception):
    pass


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def libraries(program):
    """Path in the image → file, of everything that the loader needs, itself included."""
    found = {}
    for line in run("ldd", program).splitlines():
        if "not found" in line:
            raise Failed(f"{program}: {line.strip()}")
        match = re.search(r"(/\S+) \(0x", line)
        if match:
            found[match.group(1)] = os.path.realpath(match.group(1))
    return found


def stripped(path):
    with tempfile.NamedTemporaryFile() as out:
        run("strip", "--strip-unneeded", "--remove-section=.comment", "-o", out.name, path)
        return pathlib.Path(out.name).read_bytes()


class Layer:
    """A tar of files in a fixed order, with nothing in it of the machine or the time that made it."""

    def __init__(self, present=()):
        self.entries = {}
        self.present = set(present)  # Folders of layers below.

    def add(self, path, content, mode=0o644):
        self.folders_to(path)
        self.entries[path] = (content, mode)

    def folders_to(self, path):
        for parent in list(pathlib.PurePosixPath(path).parents)[:-1]:
            if str(parent) not in self.present:
                self.entries.setdefault(str(parent), (None, 0o755))

    def folder(self, path, mode):
        self.folders_to(path)
        self.entries[path] = (None, mode)

    def folders(self):
        return {path for path, (content, _) in self.entries.items() if content is None} | self.present

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(self.entries):
                content, mode = self.entries[path]
                info = tarfile.TarInfo(path.lstrip("/"))
                info.mode, info.mtime = mode, EPOCH
                if path in OWNED:
                    info.uid = info.gid = USER
                if content is None:
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                else:
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
        return out.getvalue()


def system_layer(program):
    layer = Layer()
    for path, text in TEXTS.items():
        layer.add(path, text.encode())
    for path, mode in FOLDERS.items():
        layer.folder(path, mode)
    if not os.path.exists(CERTIFICATES):
        raise Failed(f"{CERTIFICATES}: the package ca-certificates is needed")
    layer.add(CERTIFICATES, pathlib.Path(CERTIFICATES).read_bytes())
    for path, file in libraries(program).items():
        layer.add(path, pathlib.Path(file).read_bytes(), 0o755)
    return layer


def program_layer(program, below):
    layer = Layer(below.folders())
    for path, file in libraries(program).items():
        if path not in below.entries:
            layer.add(path, pathlib.Path(file).read_bytes(), 0o755)
    layer.add(f"/usr/local/bin/{program.name}", stripped(program), 0o755)
    return layer


def archive(name, program, layers):
    """The docker archive of one image."""
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": [f"/usr/local/bin/{program}"],
            "Env": ["PATH=/usr/local/bin"],
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }, sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{
        "Config": config_name,
        "RepoTags": [name],
        "Layers": [f"{digest}/layer.tar" for digest in digests],
    }], sort_keys=True).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        members = [(config_name, config), ("manifest.json", manifest)]
        members += [(f"{digest}/layer.tar", layer) for digest, layer in zip(digests, layers)]
        for path, content in members:
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(content), 0o644, EPOCH
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def version():
    match = re.search(r"project\(strait VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    return match.group(1)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/cmd")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/images")
    parser.add_argument("--tag", default=version())
    parser.add_argument("--registry", default="")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    for name in ("strait", "strait-gateway"):
        if not (options.programs / name).is_file():
            raise Failed(f"{options.programs / name}: no such program; build it first: ./dev build release")
    options.out.mkdir(parents=True, exist_ok=True)
    shared = system_layer(options.programs / "strait-gateway")
    below = shared.tar()
    for name in ("strait", "strait-gateway"):
        program = options.programs / name
        layers = [below, program_layer(program, shared).tar()]
        image = f"{options.registry}{name}:{options.tag}"
        path = options.out / f"{name}.tar"
        path.write_bytes(archive(image, name, layers))
        packed = sum(len(zlib.compress(layer, 6)) for layer in layers)
        print(f"{image}: {sum(map(len, layers)) / 1e6:.1f} MB, {packed / 1e6:.1f} MB compressed: {path}")
    return 0


try:
    sys.exit(main())
except Failed as why:
    print(f"build.py: {why}", file=sys.stderr)
    sys.exit(1)
