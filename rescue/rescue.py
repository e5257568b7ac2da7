#!/usr/bin/env python3
"""Reads a Holdfast repository without Holdfast: lists its points, restores their disks and configurations, writes
nothing to it. Needs Python 3.9, cryptography, zstandard and, for passphrases, argon2-cffi. How to: README.md."""
# Written from docs/repository-format.md alone. § numbers are that document's, steps are those of its §17.
import argparse, base64, getpass, hashlib, hmac, json, os, re, sqlite3, struct, sys, time, types, unicodedata, zlib
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHUNK, PAGE, CONFIG, MiB, GiB, LABEL = 1, 2, 3, 1 << 20, 1 << 30, b"holdfast/r1/"           # blob types of §4.2
ALGS = dict(aead="aes-256-gcm", comp="zstd", hash="sha256", id="hmac-sha256", kdf="hkdf-sha256", sign="ed25519")
class Bad(Exception): """What is not as the specification or its hash, MAC, signature or tag says."""
# Damaged bytes make parsers and ciphers raise errors of many kinds: wherever an object is read, each of them is damage.
def need(condition, what):
    if not condition: raise Bad(what)
def why(e): return str(e) if isinstance(e, (Bad, OSError, ImportError, sqlite3.Error)) else f"it is damaged ({e!r})"
def say(text): print(text, file=sys.stderr)
def plain(text): return "".join(c if c.isprintable() else "?" for c in str(text))           # names go to a terminal
def sha(data): return hashlib.sha256(data).digest()
def mac(key, data): return hmac.new(key, data, hashlib.sha256).digest()
def hkdf(key, info): return mac(mac(bytes(32), key), LABEL + info + b"\1")                  # §5.2, one block of 32
def crc_ends(data): return zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")     # §4.1
def read(path, limit=MiB):
    need(os.path.getsize(path) <= limit, "it is larger than §4.12 allows")
    with open(path, "rb") as f: return f.read()
def walk(path, *patterns):                                      # what fits no pattern is no object (§3.1)
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        if re.fullmatch(patterns[0], name):
            yield from (f"{name}/{rest}" for rest in walk(f"{path}/{name}", *patterns[1:])) if patterns[1:] else [name]

def canonical(doc, leave_out=None):
    doc = {k: v for k, v in doc.items() if k != leave_out}      # §4.1; for names in ASCII Python's order is UTF-16's
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
def parse(raw):
    doc = json.loads(raw.decode())
    need(isinstance(doc, dict) and canonical(doc) == raw, "it is not canonical JSON")
    return doc
def signed(path, label):                                        # §4.11; whether its signer is ours is another question
    doc = parse(read(path))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(doc["signer"]))
    key.verify(bytes.fromhex(doc["sig"]), LABEL + label + b"\0" + canonical(doc, "sig"))
    return doc
def unzstd(frame, size):
    need(zstandard.get_frame_parameters(frame).content_size == size, "its compressed size is another")
    return zstandard.ZstdDecompressor().decompress(frame, max_output_size=size)
def printed(prefix, text):                                      # §5.4: 32 bytes; None if the text is no such key
    letters = re.sub("[^A-Z2-7]", "", re.sub("^" + prefix, "", text.strip().upper()))
    raw = base64.b32decode(letters + "======") if len(letters) == 58 else b""
    exact = base64.b32encode(raw).decode()[:58] == letters and raw[32:] == struct.pack(">I", zlib.crc32(raw[:32]))
    return raw[:32] if raw and exact else None
def opened(key, nonce, sealed, aad):                            # None under a KEK that wraps nothing (§5.6)
    try: return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag: return None

class Repository:                                               # in the current folder: names of objects are paths
    def __init__(self, text):
        """Steps 1 and 2: a valid replica of fmt, the keys, and no unknown read feature (§3.5, §4.11)."""
        self.map, self.phrase, self.kek = None, unicodedata.normalize("NFC", text).encode(), printed("HFK1", text)
        self.recovery = printed("HFR1", text)
        self.opens = "recovery" if self.recovery else "hpke shamir" if self.kek else "passphrase"
        seen, valid = [], []
        for name in ("fmt", "fmt.1", "fmt.2"):
            try:
                fmt = signed(name, b"fmt")
                if fmt in seen: continue
                seen.append(fmt)
                keys = self.unlock(fmt["repo"])
                signers = {k[3] for k in keys.values() if k[0] == "SIG"} or {fmt["signer"]}  # none: trust on first use
                need(fmt["signer"] in signers, "it is signed with a foreign key")
                valid.append((fmt, keys, signers))
            except Exception as e: say(f"warning: {name}: {why(e)}")
        if len(valid) != 1: sys.exit("error: not opened: " + ("replicas differ" if valid else "no fmt is good"))
        fmt, keys, signers = valid[0]
        self.keys = {(k[0], no): k[1] for no, k in keys.items()}
        self.domains = {k[2]: k[1] for k in keys.values() if k[0] == "IDK"}
        self.repo, unknown = bytes.fromhex(fmt["repo"]), set(fmt["features"]["read"])
        good = [fmt[k] for k in ("v", "formatVersion", "kind", "algs", "pageShift")] == [1, 1, "repository", ALGS, 30]
        for name in walk("feat", "[0-9a-f]{16}-[0-9a-f]+"):
            try:
                doc = signed("feat/" + name, b"feat")
                need(doc["signer"] in signers and doc["repo"] == fmt["repo"], "it is foreign")
                unknown.update(doc["add"]["read"] if doc["v"] == 1 else [name])
            except Exception as e: say(f"warning: feat/{name} adds no feature: {why(e)}")
        if unknown or not good: sys.exit(f"error: a format unknown to this reader: {plain(sorted(unknown) or fmt)}")

    def unlock(self, repo):
        """First slots → KEKs with their generation (§5.4), then key sets → keys by number (§5.3)."""
        keks, keys = [], {}                                                                  # (type, key, domain, pub)
        for name in sorted(walk("keys", "[0-9a-f]{8}-(slot|set)-[0-9a-f]{16}"), key=lambda n: "-set-" in n):
            try:
                raw = read("keys/" + name)
                if sha(raw).hex()[:16] != name[-16:]: say(f"warning: keys/{name} is damaged: its hash is not its name")
                doc = parse(raw)
                if doc["repo"] != repo: continue                                             # of a lost race (§3.4)
                need(doc["v"] == 1, "its version is unsupported")
                nonce, wrapped, gen = bytes.fromhex(doc.get("nonce", "")), doc.get("wrapped"), doc["kekGen"]
                aad = LABEL + doc["kind"].encode() + b"\0" + canonical(doc, "wrapped")
                if doc["kind"] == "key-slot" and doc["type"] in self.opens.split():
                    key = self.stretch(**doc["kdf"]) if "kdf" in doc else self.kek
                    if self.recovery: key = hkdf(self.recovery, b"slot/recovery")
                    if hkdf(key, b"slot-check")[:16].hex() != doc["check"]: continue         # of another secret
                    keks.append((gen, AESGCM(key).decrypt(nonce, bytes.fromhex(wrapped), aad) if nonce else key))
                elif doc["kind"] == "key-set" and (fit := [hkdf(k, b"key-set") for g, k in keks if g == gen]):
                    wrapped = base64.urlsafe_b64decode(wrapped + "=" * (-len(wrapped) % 4))
                    inner = parse(next(filter(None, (opened(k, nonce, wrapped, aad) for k in fit)), b""))
                    need(inner["v"] == 1 and inner["repo"] == repo, "its content is unsupported or foreign")
                    for k in inner["keys"]:
                        new = k["type"], bytes.fromhex(k["key"]), k.get("domain"), k.get("pub")
                        if keys.setdefault(k["no"], new) != new: sys.exit("error: two keys have one number")
            except Exception as e: say(f"warning: keys/{name} cannot be used: {why(e)}")
        need(keks, "the secret opens no key slot: it is wrong or mistyped, or its slot is damaged or missing")
        need(keys, "the secret is right, but every key set is damaged or missing")
        return keys

    def stretch(self, alg, m, t, p, salt, **_):
        from argon2.low_level import Type, hash_secret_raw
        need(alg == "argon2id" and 19456 <= m <= 2 << 20 and 1 <= t <= 64 and 1 <= p <= 16, "its kdf is unsupported")
        return hkdf(hash_secret_raw(self.phrase, bytes.fromhex(salt), t, m, p, 32, Type.ID, 0x13), b"slot/passphrase")

    def counts(self, name, kind, key_type, use, **facts):       # §3.3; None = it could not be read, which is neither
        try:
            doc = parse(read(name))
            good = mac(hkdf(self.keys[key_type, doc["macKey"]], use), LABEL + b"json\0" + canonical(doc, "mac")).hex()
            facts.update(v=1, kind=kind, repo=self.repo.hex(), snap=name.split("-")[1][:32], mac=good)
            need(all(doc[k] == v for k, v in facts.items()), "its MAC is wrong or it belongs to something else")
            return True
        except FileNotFoundError: return False
        except OSError as e: return say(f"warning: {name}: {why(e)}")
        except Exception as e: return bool(say(f"warning: {name} does not count: {why(e)}"))

    def point(self, stem):
        """Step 3: a manifest, its state in words (§3.3), and whether it is restorable as it stands."""
        raw = read(stem + ".m", 128 + 64 * MiB)
        ok = self.counts(stem + ".ok", "validated", "MDK", b"mac/writer", mSha256=sha(raw).hex(), mBytes=len(raw))
        blind = os.path.exists(stem + ".t") and all(kind != "MK" for kind, _ in self.keys)
        tomb = None if blind else self.counts(stem + ".t", "tombstone", "MK", b"mac/maint")
        held = any(walk("hold", stem[-32:] + "-[0-9a-f]+"))
        state = ("recovery point" if ok else "not validated") + ", held" * held
        if tomb is not False: state += ", tombstoned" if tomb else ", tombstone not verifiable"
        return self.manifest(stem, raw), state, bool(ok and (tomb is False or held))

    def manifest(self, stem, raw):                              # §4.4, and the identity keys of its domain (§5.2)
        need(len(raw) >= 128 and raw[:8] == b"R1SNAP\0\0" and crc_ends(raw[:128]), "the manifest's header is damaged")
        version, flags, size, repo, snap, series, created, _, _, lock, no, nonce, zero = struct.unpack(
            "<HHI16s16s16sQQ16sQI12sI", raw[8:124])
        need(version == 1 and flags < 4 and zero == 0, "the manifest is unsupported")
        name = f"snap/{series.hex()}/{2**53 - created:016x}-{snap.hex()}"
        need(len(raw) == 128 + size and repo == self.repo and name == stem, "the manifest does not fit its name")
        body = memoryview(AESGCM(hkdf(self.keys["MDK", no], b"manifest\0" + snap)).decrypt(nonce, raw[128:], raw[:128]))
        json_len, raw_len, root_off, roots, pack_off, packs, zero = struct.unpack("<6IQ", body[:32])
        need(root_off == 32 + (json_len + 7) // 8 * 8 and pack_off == root_off + 48 * roots and zero == 0
             and len(body) == pack_off + 32 * packs and raw_len <= 16 * MiB, "the manifest has other lengths")
        doc = parse(unzstd(bytes(body[32:32 + json_len]), raw_len))
        disks, starts = doc["disks"], [sum(d["nPages"] for d in doc["disks"][:i]) for i in range(len(doc["disks"]) + 1)]
        need([d["rootIndex"] for d in disks] + [roots] == starts and len({d["id"] for d in disks}) == len(disks)
             and all(d["nPages"] == -(-d["bytes"] // GiB) > 0 for d in disks) and doc["v"] == 1, "the manifest's disks")
        need((doc["retention"]["lockUntilSec"], doc["point"]["frozenMs"]) == (lock, created)
             and flags == ("source" in doc) + 2 * (not disks), "the manifest contradicts its header")
        idk, uses = self.domains.get(doc["domain"]), ((CHUNK, b"id/chunk"), (PAGE, b"id/page"), (CONFIG, b"id/config"))
        self.ids = {kind: hkdf(idk, use) for kind, use in uses} if idk else {}
        return types.SimpleNamespace(doc=doc, created=created, roots=body[root_off:pack_off], packs=body[pack_off:])

    def blob(self, kind, ident, n, pack, off, clen):
        """§17, opening a blob: every check of its content; n is the length it must have, if that is known (§4.12)."""
        need(64 <= off and 49 <= clen <= 48 + 4 * MiB, "its location is out of bounds")
        with open(f"pack/{pack[:2]}/{pack}", "rb") as f:
            f.seek(off)
            h, c = f.read(72), f.read(clen)
        need(len(c) == clen and h[:4] == b"BLB1" and crc_ends(h), "no sound blob is there")
        typ, comp, aead, flags, no, ulen, length, nonce, name = struct.unpack("<4B3I12s32s", h[4:64])
        need(comp in (0, 1) and aead == 1 and flags == 0, "the blob is unsupported")
        need((typ, name, length) == (kind, ident, clen) and 1 <= ulen <= 4 * MiB, "another blob is there")
        key = hkdf(self.keys["MDK" if kind == PAGE else "DEK", no], b"blob\0" + bytes((typ, aead)) + ident)
        p = AESGCM(key).decrypt(nonce, c, h[:64])
        content = unzstd(p[32:], ulen) if comp else p[32:]
        need(len(content) == ulen == (n or ulen) and sha(content) == p[:32], "its content is not what its hash says")
        need(kind == PAGE or not self.ids or mac(self.ids[kind], p[:32]) == ident, "its content is of another id")
        return content

    def fetch(self, kind, ident, hint, n, check=bytes):         # §7.8: from the hint or any other home; Bad if lost
        problem = None
        for home in self.homes(kind, ident, hint):
            try: return check(self.blob(kind, ident, n, *home))
            except Exception as e: problem = problem or why(e)
        return Bad(f"pack/{hint[0][:2]}/{hint[0]} at {hint[1]}: {problem}; no other home of the blob is good")

    def homes(self, kind, ident, hint):                         # step 4; what all packs hold is in a temporary file
        yield hint
        if self.map is None:
            say("note: a blob is not sound where its manifest says; reading the contents of all packs")
            self.map = sqlite3.connect("")
            self.map.execute("CREATE TABLE blob (id BLOB, type INT, off INT, clen INT, pack TEXT)")
            for name in walk("pack", "[0-9a-f]{2}", "[0-9a-f]{64}"):
                try: rows = [(*row, name[3:]) for row in self.contents("pack/" + name)]
                except Exception as e: rows = say(f"warning: pack/{name}: {why(e)}") or []
                self.map.executemany("INSERT INTO blob VALUES (?, ?, ?, ?, ?)", rows)
            self.map.execute("CREATE INDEX by_id ON blob (id, type)")
        yield from self.map.execute("SELECT pack, off, clen FROM blob WHERE id = ? AND type = ?", (ident, kind))

    def contents(self, path):                                   # §4.2: (id, type, off, clen) by TOC, else by scanning
        with open(path, "rb") as f:
            head, end, foot, rows = f.read(64), f.seek(-48, os.SEEK_END), f.read(48), []
            off, length, count, crc, repo = struct.unpack("<4I16s", foot[8:40])
            f.seek(off)
            toc = f.read(min(length, 56 * 32768))
            if foot[:8] == b"R1PTOC\0\0" and crc_ends(foot) and crc_ends(head) and head[16:32] == repo == self.repo \
                    and off + length == end and len(toc) == length == 56 * count and zlib.crc32(toc) == crc:
                return [(e[0], e[6], e[1], e[2]) for e in struct.iter_unpack("<32s5I4B", toc)]
        say(f"warning: {path}: its table of contents is damaged or foreign; it is scanned")
        data = read(path, 128 * MiB)
        at = data.find(b"BLB1", 64)
        while at >= 0:
            h, end = data[at:at + 72], at + 72 + int.from_bytes(data[at + 16:at + 20], "little")
            sound = len(h) == 72 and crc_ends(h) and zlib.crc32(data[at + 72:end]) == int.from_bytes(h[64:68], "little")
            if sound: rows.append((h[32:64], h[4], at, end - at - 72))
            at = data.find(b"BLB1", end if sound else at + 1)
        return rows

    def page(self, content, ident, no, size):                   # §4.3: chunk size and entries (None is a hole), §6.5
        magic, version, shift, flags, page_no, n, packs, zero = struct.unpack("<4sBBHQIIQ", content[:32])
        need(magic == b"PAGE" and version == 1 and flags == zero == 0 and 16 <= shift <= 22, "the page is unsupported")
        need(page_no == no and n == -(-size >> shift) and len(content) == 32 + 32 * packs + 44 * n, "a foreign page")
        entries = list(struct.iter_unpack("<32sHHII", content[32 + 32 * packs:]))
        kinds = b"".join(bytes(({0xFFFF: 1, 0xFFFE: 2}.get(e[1], 0),)) + e[0] for e in entries)
        named = LABEL + b"page\0" + struct.pack("<BBQI", 1, shift, no, n) + kinds
        need(not self.ids or mac(self.ids[PAGE], named) == ident, "its content is of another id")
        pack = lambda i: content[32 + 32 * i:64 + 32 * i].hex()
        return 1 << shift, [None if e[1] >= 0xFFFE else (e[0], (pack(e[1]), e[3], e[4])) for e in entries]

    def disk(self, m, d):                                       # steps 5, 6: (offset, length, bytes | None: hole | Bad)
        roots = list(struct.iter_unpack("<32s4I", m.roots[48 * d["rootIndex"]:][:48 * d["nPages"]]))
        image = struct.pack("<QI", d["bytes"], d["nPages"]) + b"".join(bytes((r[4] & 3,)) + r[0] for r in roots)
        if sha(LABEL + b"image\0" + image).hex() != d["imageRoot"] or any(r[4] & 0xFFFF > 2 for r in roots):
            roots = yield 0, d["bytes"], Bad("its pages are unsupported or not those of its imageRoot")
        for no, (ident, pack, off, clen, flags) in enumerate(roots or []):
            size, hint = min(GiB, d["bytes"] - no * GiB), (m.packs[32 * pack:][:32].hex(), off, clen)
            page = None if flags & 3 else self.fetch(PAGE, ident, hint, None, lambda c: self.page(c, ident, no, size))
            step, entries = page if isinstance(page, tuple) else (size, [page])
            for at, entry in zip(range(0, size, step), entries):
                n = min(step, size - at)
                yield no * GiB + at, n, self.fetch(CHUNK, *entry, n) if isinstance(entry, tuple) else entry

    def config(self, c):                                        # step 7, like disk(): whole or lost
        parts = [self.fetch(CONFIG, bytes.fromhex(p["id"]), (p["pack"], p["off"], p["clen"]), None) for p in c["parts"]]
        whole = b"".join(p for p in parts if isinstance(p, bytes))
        lost = [p for p in parts if isinstance(p, Bad)] or [Bad("its parts are not those of its hash")]
        yield 0, c["bytes"], whole if (len(whole), sha(whole).hex()) == (c["bytes"], c["sha256"]) else lost[0]

def deliver(pieces, size, out, what):
    """Step 8. Holes stay holes in a file, which is .partial until it is whole; a stream ends at the first loss."""
    file, lost = out and open(out + ".partial", "xb"), False
    if file: file.truncate(size)
    for at, n, data in pieces:
        if isinstance(data, Bad):
            lost = not say(f"lost: {what}, bytes {at} to {at + n - 1}: {data}")
        elif file and data: file.seek(at), file.write(data)
        elif not file and not lost:
            for k in range(0, n, MiB): sys.stdout.buffer.write(data[k:k + MiB] if data else bytes(min(MiB, n - k)))
    (file or sys.stdout).close()
    if lost: sys.exit(f"error: {what} is not whole" + (f"; {out}.partial has zeroes for what is lost" if out else ""))
    if out: os.rename(out + ".partial", out)
    say(f"{what}: {size} bytes, every one checked")

def main():
    usage = argparse.ArgumentParser(description=__doc__)
    usage.add_argument("repository", help="the folder that holds fmt, keys, pack and snap")
    usage.add_argument("command", nargs="+", help="list [POINT], or restore POINT ITEM OUT (a new file, - is stdout)")
    usage.add_argument("--secret-file", help="holds a passphrase or recovery key; else $HOLDFAST_SECRET, else a prompt")
    usage.add_argument("--any-state", action="store_true", help="restore also what is not validated or is tombstoned")
    a = usage.parse_args()
    if [a.command[0], len(a.command)] not in (["list", 1], ["list", 2], ["restore", 4]): usage.error("list or restore?")
    _, point, item, out = (a.command + [None, None, None])[:4]
    file = os.path.abspath(out) if out and out != "-" else ""
    if os.path.lexists(file) or out == "-" and sys.stdout.isatty(): sys.exit("error: OUT is to be a new file or a pipe")
    text = read(a.secret_file).decode() if a.secret_file else os.environ.get("HOLDFAST_SECRET")
    text = re.sub(r"\r?\n\Z", "", text) if text else getpass.getpass("Passphrase or recovery key: ")
    os.chdir(a.repository)
    repo, names = Repository(text), walk("snap", "[0-9a-f]{32}", r"[0-9a-f]{16}-[0-9a-f]{32}\.(m|ok)")
    stems = {s for s in ("snap/" + name.rsplit(".", 1)[0] for name in names) if point in (None, s, s[-32:])}
    stems = sorted(s for s in stems if os.path.exists(s + ".m") or not os.path.exists(s + ".t"))  # else removed (§3.3)
    problem = "" if stems else "there is no such point"
    for stem in stems:
        try: m, state, good = repo.point(stem)
        except Exception as e: problem = say(f"lost: {stem}: {why(e)}") or "a point is lost"; continue
        items = {f"disk:{d['id']}": (repo.disk(m, d), d["bytes"]) for d in m.doc["disks"]}
        items.update({f"config:{c['name']}": (repo.config(c), c["bytes"]) for c in m.doc["configs"]})
        if not out:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(m.created / 1000))
            print(stem, when, plain(m.doc["vm"]["name"]), state, sep="  ")
            for name, (_, size) in items.items(): print("   ", plain(name), size, "bytes")
        elif not good and not a.any_state: sys.exit(f"error: {stem} is {state}: only with --any-state")
        elif item not in items: sys.exit(f"error: there is no such item in {stem}; it has {plain(', '.join(items))}")
        else: deliver(*items[item], file, item)
    if problem: sys.exit("error: " + problem)

if __name__ == "__main__":
    try: main()
    except Exception as e: sys.exit(f"error: {why(e)}")
