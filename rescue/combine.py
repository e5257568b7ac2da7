#!/usr/bin/env python3
"""Makes of key shares, or of an escrow holder's private key, the secret with which rescue.py opens a repository of
Holdfast. Needs Python 3.9 and, for escrow, cryptography. How to: README.md."""
# Written from docs/repository-format.md alone (§5.4), RFC 9180 and Shamir's scheme. It writes nothing but its answer.
import argparse, base64, glob, hashlib, hmac, json, os, re, struct, sys, zlib

LABEL = b"holdfast/r1/"
def mac(key, data): return hmac.new(key, data, hashlib.sha256).digest()
def hkdf(key, info): return mac(mac(bytes(32), key), LABEL + info + b"\1")                  # §5.2

def parse_printed(prefix, text, size):
    """§5.4: what is in a printed secret; an error for a mistyped one."""
    letters = re.sub("[^A-Z2-7]", "", re.sub("^" + prefix, "", text.strip().upper()))
    n = -(-(size + 4) * 8 // 5)
    raw = base64.b32decode(letters + "=" * (-n % 8)) if len(letters) == n else b""
    crc = struct.pack(">I", zlib.crc32(raw[:size]))
    good = raw and base64.b32encode(raw).decode()[:n] == letters and raw[size:] == crc
    return raw[:size] if good else sys.exit(f"error: not a {prefix}- text, or mistyped: {text.strip()[:9]}…")

def print_kek(kek):
    text = base64.b32encode(kek + struct.pack(">I", zlib.crc32(kek))).decode().rstrip("=")
    print("-".join(["HFK1"] + re.findall(".{1,4}", text)))

def slots(folder, kind):
    """Slots of a type, the newest generation that has key sets first: (name, object, AAD of what it wraps)."""
    keys = os.path.join(glob.escape(folder), "keys")
    for path in sorted(glob.glob(os.path.join(keys, "*-slot-*")), reverse=True):
        if not glob.glob(os.path.join(keys, os.path.basename(path)[:8] + "-set-*")): continue
        try:
            with open(path, "rb") as f: doc = json.loads(f.read(1 << 20))
        except (OSError, ValueError) as e:
            print(f"warning: {path} is damaged: {e}", file=sys.stderr)
            continue
        if doc.get("type") == kind:
            clear = {k: v for k, v in doc.items() if k != "wrapped"}
            aad = json.dumps(clear, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
            yield path, doc, LABEL + b"key-slot\0" + aad

def fits(kek, doc): return hkdf(kek, b"slot-check")[:16].hex() == doc["check"]

def times(a, b):                                                # in GF(2^8), polynomial 0x11B
    product = 0
    while b:
        if b & 1: product ^= a
        a, b = a << 1 ^ (0x11B if a & 128 else 0), b >> 1
    return product

def combine(shares):
    """The polynomials' values at 0: shares is {x: 32 bytes}."""
    kek = bytes(32)
    for x, y in shares.items():
        basis = 1
        for other in shares:
            inverse = next((n for n in range(256) if times(n, other ^ x) == 1), None)
            if inverse: basis = times(basis, times(other, inverse))
        kek = bytes(k ^ times(basis, byte) for k, byte in zip(kek, y))
    return kek

def from_shares(folder, texts):
    parsed = [parse_printed("HFS1", text, 54) for text in texts if text.strip()]
    keys = {raw[:21] for raw in parsed}                         # repository, generation, threshold
    if len(keys) != 1: sys.exit("error: these are shares of different keys, or none")
    generation, threshold = struct.unpack("<IB", parsed[0][16:21])
    shares = {raw[21]: raw[22:] for raw in parsed}
    if len(shares) < threshold: sys.exit(f"error: {threshold} different shares are needed, {len(shares)} are here")
    kek = combine(dict(list(shares.items())[:threshold]))
    if not any(fits(kek, doc) and doc["kekGen"] == generation for _, doc, _ in slots(folder, "shamir")):
        sys.exit("error: the shares fit no slot of this repository: one is wrong, or the keys were rotated")
    return kek

def from_escrow(folder, text):
    """RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    secret = X25519PrivateKey.from_private_bytes(parse_printed("HFE1", text, 32))
    mine = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\2"
    def extract(of, salt, label, ikm): return mac(salt or bytes(32), b"HPKE-v1" + of + label + ikm)
    def expand(of, key, label, info, n):
        return mac(key, struct.pack(">H", n) + b"HPKE-v1" + of + label + info + b"\1")[:n]
    for path, doc, aad in slots(folder, "hpke"):
        if doc["recipient"] != mine.hex() or doc["suite"] != "x25519-hkdf-sha256-aes-256-gcm": continue
        try:
            enc = base64.urlsafe_b64decode(doc["enc"] + "=" * (-len(doc["enc"]) % 4))
            shared = extract(kem, b"", b"eae_prk", secret.exchange(X25519PublicKey.from_public_bytes(enc)))
            shared = expand(kem, shared, b"shared_secret", enc + mine, 32)
            context = b"\0" + extract(suite, b"", b"psk_id_hash", b"")
            context += extract(suite, b"", b"info_hash", LABEL + b"escrow")
            prk = extract(suite, shared, b"secret", b"")
            key, nonce = expand(suite, prk, b"key", context, 32), expand(suite, prk, b"base_nonce", context, 12)
            kek = AESGCM(key).decrypt(nonce, bytes.fromhex(doc["wrapped"]), aad)
            if fits(kek, doc): return kek
        except Exception as e: print(f"warning: {path} does not open: {e!r}", file=sys.stderr)
    return sys.exit("error: no slot of this repository opens with this key")

def main():
    usage = argparse.ArgumentParser(description=__doc__)
    usage.add_argument("repository", help="the folder that holds fmt, keys, pack and snap")
    how = usage.add_mutually_exclusive_group(required=True)
    how.add_argument("--shares", metavar="FILE", help="shares (HFS1-…), one in each line")
    how.add_argument("--escrow", metavar="FILE", help="the private key of an escrow holder (HFE1-…)")
    a = usage.parse_args()
    with open(a.shares or a.escrow) as f: text = f.read()
    print_kek(from_shares(a.repository, text.splitlines()) if a.shares else from_escrow(a.repository, text))

if __name__ == "__main__":
    main()
