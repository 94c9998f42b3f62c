"""Links that nobody can guess, made from one secret file: the database holds none, and a copy of it opens nothing."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

SECRET = "secret"


def was_served(folder: Path) -> bool:
    """Whether links of a study were ever made: someone may have one, and may be answering."""
    return (folder / SECRET).exists()


class Tokens:
    """The tokens of a study: HMAC-SHA256, cut to 160 bits.

    An annotator's token is its number and a signature, so that the owner's page can show the link again.
    """

    def __init__(self, folder: Path) -> None:
        self._secret = _read_or_create(folder / SECRET)

    def annotator(self, number: int) -> str:
        """Returns the token of an annotator's link."""
        return f"{number}-{self._sign(f'annotator:{number}')}"

    def annotator_number(self, token: str) -> int | None:
        """Returns whose token it is; None for one that was not made here."""
        number, _, signature = token.partition("-")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and number == str(int(number))):
            return None
        return int(number) if _same(signature, self._sign(f"annotator:{number}")) else None

    def owner(self) -> str:
        """Returns the token of the owner's page."""
        return self._sign("owner")

    def is_owner(self, token: str) -> bool:
        """Whether `token` opens the owner's page."""
        return _same(token, self.owner())

    def form(self, holder: str, form: str) -> str:
        """Returns the token that a form carries, so that no other site can send it."""
        return self._sign(f"form:{holder}:{form}")

    def is_form(self, token: str, holder: str, form: str) -> bool:
        """Whether a form came from a page of ours."""
        return _same(token, self.form(holder, form))

    def _sign(self, message: str) -> str:
        digest = hmac.new(self._secret, message.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:20]).rstrip(b"=").decode()


def _same(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode(errors="replace"), second.encode())


def _read_or_create(file: Path) -> bytes:
    # Written whole before it has its name: two servers that start at once agree on the first, and none reads half.
    if not file.exists():
        temporary = file.with_name(f".secret-{secrets.token_hex(8)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
            os.link(temporary, file)
        except FileExistsError:
            pass
        finally:
            os.close(handle)
            temporary.unlink()
    return file.read_bytes()
