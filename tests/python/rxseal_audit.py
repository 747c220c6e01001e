"""Verifies logs of rxseal-watch as FORMAT 16 says, with nothing of rxseal. rxseal_audit.py KEY CHECKPOINTS LOG...: prints for each log 0 whole,
1 tampered or 7 incomplete, and ends with the worst of them, as `rxseal audit verify` does."""
import base64, hashlib, json, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

url = lambda hash: base64.urlsafe_b64encode(hash).rstrip(b"=").decode()
frame = lambda *parts: b"".join(bytes([tag]) + len(part).to_bytes(4, "big") + part for tag, part in enumerate(parts))

def checkpoint(note, key):
    name, hash, public = key.split("+", 2)
    text, _, signature = note.partition("\n\n")
    signature = base64.b64decode(signature.removeprefix(f"\u2014 {name} "), validate=False)
    assert signature[:4].hex() == hash
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public)[1:]).verify(signature[4:], (text + "\n").encode())
    title, chain, size, head, time = (line.split(" ")[-1] for line in text.split("\n"))
    return chain, int(size), url(base64.b64decode(head))

def verify(folder, notes):
    verdicts, chains, links = {0}, {}, []
    for path in sorted(Path(folder).glob("*.rxa")):
        *lines, torn = path.read_bytes().split(b"\n")
        hashes, kinds, previous = [], [], bytes(32)
        for n, line in enumerate(lines):
            previous = hashlib.sha256(frame(b"rxseal/v1/audit", previous, line[44:])).digest()
            try: event = json.loads(line[44:])
            except ValueError: return 1
            if len(line) >= 1 << 17 or line[:44] != url(previous).encode() + b" " or event.get("n") != n: return 1
            hashes, kinds = hashes + [url(previous)], kinds + [event["e"]]
            if (event["e"] == "start") != (n == 0) or n == 0 and event.get("chain") != path.stem.split("-")[1] or kinds[:-1].count("stop"): return 1
            links += [event["prev"] | {"oldest": not chains}] if "prev" in event else []
        chains[path.stem.split("-")[1]] = hashes, len(torn)
        covered = max([size for chain, size, _ in notes if chain == path.stem.split("-")[1]], default=0)
        verdicts |= {7} if torn or kinds[-1:] != ["stop"] or "gap" in kinds or covered < len(hashes) else set()
    verdicts |= {7} if any(link["oldest"] and link["chain"] not in chains for link in links) else set()
    links = [link for link in links if not link["oldest"] or link["chain"] in chains]
    for chain, size, head in notes + [(link["chain"], link["n"] + 1, link["h"]) for link in links]:
        hashes, torn = chains.get(chain, ([], 0))
        if len(hashes) < size or hashes[size - 1] != head: return 1
    dead = [link for link in links if link.get("torn") and (link["n"] + 1, link["torn"]) != (len(chains[link["chain"]][0]), chains[link["chain"]][1])]
    return 1 if dead else max(verdicts)

notes = [checkpoint(path.read_text(), sys.argv[1]) for path in sorted(Path(sys.argv[2]).glob("*.note"))]
verdicts = [verify(folder, notes) for folder in sys.argv[3:]]
print("\n".join(map(str, verdicts)))
sys.exit(1 if 1 in verdicts else max(verdicts, default=0))
