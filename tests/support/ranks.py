#!/usr/bin/env python3
"""The order of the folders, read from the includes.

A folder includes only folders of a lower rank, and itself; equals never include each other. Some libraries are kept
to the few files whose business they are. The tables below are the whole rule; docs/architecture.md says why.

  ranks.py              checks the tree; prints one line per violation and ends with 1 when there is any
  ranks.py --self-test  plants violations in a tree of its own and demands that each is found
"""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUFFIXES = {".cpp", ".hpp", ".cc", ".h"}
SKIPPED_FOLDERS = {"build", ".git", ".cache"}

RANKS = {
    "base": 0,
    "catalog/model": 1,
    "proto": 1,
    "storage": 1,
    "net": 1,
    "catalog": 2,
    "gateway": 3,
    "peering": 3,
    "kubernetes": 3,
    "actors": 4,
    "api": 5,
    "cmd": 6,
}

# Inside gateway/ the rule is narrower: each part names the folders it may see beside itself.
GATEWAY = {
    "gateway/snapshot": {"base"},
    "gateway/resolve": {"base", "net", "catalog/model", "catalog", "gateway/snapshot"},
    "gateway/proxy": {"base", "net", "gateway/snapshot"},
    "gateway/feed": {"base", "proto", "gateway/snapshot"},
}

# Folders that may include anything and that nobody else may include.
FREE = {"tests", "deploy"}

# Library headers that only some files may include: (what, include pattern, file pattern).
LIBRARIES = [
    ("CAF", re.compile(r"^<caf/"), re.compile(r"^(actors|api|cmd)/")),
    ("RocksDB", re.compile(r"^<rocksdb/"), re.compile(r"^storage/rocksdb_store(\.test)?\.cpp$")),
    (
        "gRPC or protobuf",
        re.compile(r"^(<(grpc|grpcpp|google/protobuf)/|\"proto/.*\.pb\.h\")"),
        re.compile(
            r"^gateway/feed/"
            r"|(^|/)[^/]*_(wire|codec)(\.test)?\.(cpp|hpp)$"
            r"|^catalog/[^/]*codec[^/]*\.cpp$"
            r"|^api/grpc_[^/]*\.cpp$"
        ),
    ),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*("[^"]+"|<[^>]+>)')


def folder_of(path):
    """The longest folder name of the tables that path lies in, or its first component."""
    for known in sorted([*GATEWAY, *RANKS, *FREE], key=len, reverse=True):
        if path.startswith(known + "/"):
            return known
    return path.split("/")[0] if "/" in path else ""


def rank_of(folder):
    return RANKS["gateway"] if folder in GATEWAY else RANKS.get(folder)


def include_violation(path, include):
    """What is wrong with one include of one file; None when nothing is."""
    source = folder_of(path)
    if source in FREE:
        return None
    for what, header, allowed in LIBRARIES:
        if header.match(include) and not allowed.search(path):
            return f"includes {what} ({include}); only files that match {allowed.pattern} may"
    if include.startswith("<"):
        return None
    target_path = include.strip('"')
    target = folder_of(target_path)
    if target in FREE:
        return f"includes {include}: nothing of {target}/ is for other folders"
    if rank_of(target) is None:
        return f"includes {include}: write the path from the repository root"
    if target == source:
        return None
    if source in GATEWAY:
        if target not in GATEWAY[source]:
            return f"includes {include}: {source} may see only {', '.join(sorted(GATEWAY[source]))}"
        return None
    if rank_of(target) >= rank_of(source):
        return f"includes {include}: {source} (rank {rank_of(source)}) may not see {target} (rank {rank_of(target)})"
    return None


def violations(root):
    for file in sorted(root.rglob("*")):
        if file.suffix not in SUFFIXES or SKIPPED_FOLDERS & set(file.relative_to(root).parts):
            continue
        path = file.relative_to(root).as_posix()
        source = folder_of(path)
        if source not in FREE and rank_of(source) is None:
            yield f"{path}:1: the folder has no rank; give it one in tests/support/ranks.py"
            continue
        if source == "gateway":
            yield f"{path}:1: files stand in one of {', '.join(GATEWAY)}"
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            wrong = match and include_violation(path, match.group(1))
            if wrong:
                yield f"{path}:{number}: {wrong}"


PLANTED = [  # (file, include, is it a violation?)
    ("base/log.hpp", '"catalog/model/gateway.hpp"', True),
    ("net/loop.cpp", '"storage/store.hpp"', True),
    ("net/loop.cpp", '"base/log.hpp"', False),
    ("catalog/model/gateway.hpp", '"catalog/catalog.hpp"', True),
    ("catalog/catalog.cpp", '"catalog/model/gateway.hpp"', False),
    ("peering/link.cpp", '"kubernetes/client.hpp"', True),
    ("peering/link.cpp", '"catalog/catalog.hpp"', False),
    ("actors/peer_actor.cpp", '"api/http.hpp"', True),
    ("api/http.cpp", '"cmd/main.hpp"', True),
    ("cmd/strait.cpp", '"api/http.hpp"', False),
    ("gateway/snapshot/snapshot.hpp", '"catalog/model/gateway.hpp"', True),
    ("gateway/resolve/bind.cpp", '"gateway/proxy/worker.hpp"', True),
    ("gateway/proxy/worker.cpp", '"gateway/resolve/bind.hpp"', True),
    ("gateway/feed/codec.cpp", '"gateway/snapshot/snapshot.hpp"', False),
    ("gateway/feed/codec.cpp", '"proto/proxy.pb.h"', False),
    ("gateway/loose.cpp", '"base/log.hpp"', True),
    ("peering/link.hpp", "<caf/all.hpp>", True),
    ("actors/peer_actor.cpp", "<caf/all.hpp>", False),
    ("storage/memory_store.cpp", "<rocksdb/db.h>", True),
    ("storage/rocksdb_store.cpp", "<rocksdb/db.h>", False),
    ("actors/peer_actor.cpp", "<grpcpp/grpcpp.h>", True),
    ("peering/peer_wire.cpp", "<grpcpp/grpcpp.h>", False),
    ("peering/link.cpp", '"proto/peer.pb.h"', True),
    ("catalog/record_codec.cpp", '"proto/record.pb.h"', False),
    ("base/time.cpp", '"time.hpp"', True),
    ("base/time.cpp", '"tests/support/fixture.hpp"', True),
    ("tests/simulation/world.cpp", "<caf/all.hpp>", False),
    ("helpers/text.cpp", '"base/log.hpp"', True),
]


def self_test():
    wrong = 0
    for path, include, is_violation in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True)
            file.write_text(f"#include {include}\n")
            if bool(list(violations(pathlib.Path(folder)))) != is_violation:
                print(f"ranks.py: {path} with {include}: expected {'a' if is_violation else 'no'} violation")
                wrong += 1
    print(f"{len(PLANTED) - wrong} of {len(PLANTED)} planted includes judged rightly")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = list(violations(ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
