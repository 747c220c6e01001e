"""Makes a root key of one new name in the Vault and the AWS KMS of `.ci/servers`, and prints the name."""

import json
import os
import urllib.request
import uuid


def call(url: str, body: dict, headers: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")


def vault(path: str, body: dict) -> None:
    token = os.environ["RXSEAL_TEST_VAULT_TOKEN"]
    call(f"{os.environ['RXSEAL_TEST_VAULT']}/v1/{path}", body, {"X-Vault-Token": token})


def kms(action: str, body: dict) -> dict:
    # An emulator takes any signature.
    headers = {
        "X-Amz-Target": f"TrentService.{action}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0",
    }
    return call(os.environ["RXSEAL_TEST_MOTO"], body, headers)


name = f"rotation-{uuid.uuid4().hex[:8]}"
try:
    vault("sys/mounts/transit", {"type": "transit"})
except urllib.error.HTTPError as error:
    # It is there already.
    if error.code != 400:
        raise
vault(f"transit/keys/{name}", {"type": "aes256-gcm96"})
key = kms("CreateKey", {"KeyUsage": "ENCRYPT_DECRYPT"})["KeyMetadata"]["KeyId"]
kms("CreateAlias", {"AliasName": f"alias/{name}", "TargetKeyId": key})
print(name)
