"""Signing in with an OpenID Connect provider: authorization code with PKCE and nonce (RFC 9700), nothing else.

The provider says who somebody is; what they are here comes from the site's own table of its groups. Needs the extra
`oidc` (joserfc verifies the tokens).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from gate_service.domain.commands import Role
from gate_service.domain.errors import OutsideSignInError
from gate_service.domain.ports import Clock

PENDING_S: Final = 600.0  # a person looks for their device
MOST_PENDING: Final = 200  # each costs nobody anything to begin: the oldest are forgotten first
WITHIN_S: Final = 10.0
SKEW_S: Final = 60  # how far the provider's clock may be from ours
SIGNATURES: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
LARGEST_ANSWER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One provider. `roles` maps a value of `role_claim` to a role here, the first that fits wins."""

    issuer: str
    client_id: str
    client_secret: str | None
    role_claim: str
    roles: Mapping[str, Role]
    scopes: tuple[str, ...] = ("openid", "profile")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider proved: `subject` is theirs for ever, `name` is what to call them."""

    issuer: str
    subject: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class _Begun:
    nonce: str
    verifier: str
    back: str
    at_s: float


class OpenIdConnect:
    """Begins and finishes sign-ins at one provider. `client` makes an HTTP client; tests trust their own authority."""

    def __init__(
        self, settings: OidcSettings, clock: Clock, client: Callable[[], httpx.AsyncClient] | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client or _client
        self._begun: OrderedDict[str, _Begun] = OrderedDict()

    async def begin(self, back: str) -> tuple[str, str]:
        """Where to send the browser, and the state that must come back with it. Raises OutsideSignInError."""
        async with self._client() as client:
            found = await self._discover(client)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._remember(state, _Begun(nonce, verifier, back, self._clock.monotonic_s()))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{found['authorization_endpoint']}?{urlencode(asked)}", state

    async def finish(self, query: Mapping[str, str], state: str | None) -> Identity:
        """The provider sent the browser back with `query`; `state` is what this browser was given at the beginning.

        Raises OutsideSignInError with what was expected.
        """
        begun = self._take(query.get("state"), state)
        if "error" in query:
            raise OutsideSignInError(f"provider: a code expected, it says {query['error']!r}"[:200])
        if "iss" in query and query["iss"] != self._settings.issuer:  # RFC 9207: an answer of another provider
            raise OutsideSignInError("provider: an answer of the configured issuer expected")
        code = query.get("code")
        if not code:
            raise OutsideSignInError("provider: a code expected, none came")
        async with self._client() as client:
            found = await self._discover(client)
            token = await self._redeem(client, found, code, begun)
            keys = await _answer(client, "GET", str(found["jwks_uri"]))
        return self._identity(self._verified(token, keys, begun.nonce))

    async def _discover(self, client: httpx.AsyncClient) -> dict[str, Any]:
        issuer = self._settings.issuer
        found = await _answer(client, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise OutsideSignInError(f"provider: issuer {issuer} expected, found {found.get('issuer')!r}"[:300])
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            check_address(str(found.get(name)))
        return found

    async def _redeem(self, client: httpx.AsyncClient, found: dict[str, Any], code: str, begun: _Begun) -> str:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.back,
            "client_id": settings.client_id,
            "code_verifier": begun.verifier,
        }
        auth = None
        if settings.client_secret is not None:
            auth = httpx.BasicAuth(settings.client_id, settings.client_secret)
            del form["client_id"]
        answer = await _answer(client, "POST", str(found["token_endpoint"]), data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OutsideSignInError("provider: an id_token expected, none came")
        return token

    def _verified(self, token: str, keys: Any, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        settings = self._settings
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=SKEW_S,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = dict(jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(SIGNATURES)).claims)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OutsideSignInError(f"provider: a token for this site and sign-in expected: {error}"[:300]) from error
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != settings.client_id:
            raise OutsideSignInError("provider: a token for this site alone expected")
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        said = claims.get(self._settings.role_claim)
        groups = {said} if isinstance(said, str) else set(said) if isinstance(said, list) else set()
        role = next((role for group, role in self._settings.roles.items() if group in groups), None)
        if role is None:
            raise OutsideSignInError(f"provider: a group with a role here expected in {self._settings.role_claim!r}")
        subject = str(claims["sub"])
        name = claims.get("preferred_username") or claims.get("email") or subject
        return Identity(self._settings.issuer, subject, str(name), role)

    def _remember(self, state: str, begun: _Begun) -> None:
        self._begun[state] = begun
        while len(self._begun) > MOST_PENDING:
            self._begun.popitem(last=False)

    def _take(self, said: str | None, given: str | None) -> _Begun:
        """The sign-in that this browser began; it can be finished once."""
        if said is None or given is None or not secrets.compare_digest(said.encode(), given.encode()):
            raise OutsideSignInError("provider: the state that this browser was given expected")
        begun = self._begun.pop(said, None)
        if begun is None or self._clock.monotonic_s() - begun.at_s > PENDING_S:
            raise OutsideSignInError("provider: a sign-in begun within ten minutes expected; begin again")
        return begun


def check_address(text: str) -> str:
    """An address of the provider: https, or http on loopback for tests. Raises OutsideSignInError."""
    parts = urlsplit(text)
    is_loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
        raise OutsideSignInError(f"provider: an https address expected, found {text!r}"[:200])
    return text


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=WITHIN_S, follow_redirects=False)


async def _answer(client: httpx.AsyncClient, method: str, address: str, **more: Any) -> dict[str, Any]:
    """One JSON object of the provider."""
    try:
        async with client.stream(method, check_address(address), **more) as answer:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise OutsideSignInError(f"provider: at most {LARGEST_ANSWER} bytes expected at {address}")
            if not answer.is_success:
                raise OutsideSignInError(f"provider: success expected at {address}, found {answer.status_code}")
            found = httpx.Response(200, content=bytes(body)).json()
    except (httpx.HTTPError, ValueError) as error:
        raise OutsideSignInError(f"provider: an answer expected at {address}: {error!r}"[:300]) from error
    if not isinstance(found, dict):
        raise OutsideSignInError(f"provider: a JSON object expected at {address}")
    return found
