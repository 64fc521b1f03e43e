"""The one exception tree. Every class has a stable public `code`; messages say what was expected and what was found."""

from __future__ import annotations

from typing import ClassVar


class GateError(Exception):
    """Root of everything this service raises on purpose. `code` is public and never changes its meaning."""

    code: ClassVar[str] = "gate_error"


class InputError(GateError):
    """Something from outside (file, form, message, option) is not what the interface asks for."""

    code = "input_invalid"


class MessageError(InputError):
    """A customs message cannot be read; the message says what was expected and what was found."""

    code = "message_unreadable"


class FrameError(MessageError):
    """Bytes that are no whole JGS/T 14 frame: mark, lengths or tail do not fit."""

    code = "frame_unreadable"


class XmlError(MessageError):
    """Bytes that are no well-formed XML in an encoding we read."""

    code = "xml_unreadable"


class XmlRefusedError(MessageError):
    """XML that is refused unread: document type, entities, or beyond the limits of size, depth and count."""

    code = "xml_refused"


class MessageUnknownError(MessageError):
    """Well-formed XML that is none of the customs messages."""

    code = "message_unknown"


class MassError(InputError):
    """A mass is not a decimal number of kilograms with at most three decimals."""

    code = "mass_invalid"


class CaseError(InputError):
    """A case for the rules cannot be judged: a field is missing, of the wrong type, or outside its list."""

    code = "case_invalid"


class PolicyError(InputError):
    """A policy is refused: unknown key, wrong type, or a tier set that the rules forbid."""

    code = "policy_invalid"


class ConfigError(InputError):
    """The configuration has mistakes; `problems` holds one line each: place, finding, what is allowed."""

    code = "config_invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CommandRefusedError(GateError):
    """A person's command cannot be carried out now; nothing was changed."""

    code = "command_refused"


class PassageChangedError(CommandRefusedError):
    """The command names another vehicle, or facts older than those the lane holds now."""

    code = "passage_changed"


class InterlockError(CommandRefusedError):
    """An interlock forbids the command; the message names which and what would satisfy it."""

    code = "interlock"


class NotPermittedError(CommandRefusedError):
    """The role of the person does not allow this, or a second person is needed first."""

    code = "not_permitted"


class DeviceError(GateError):
    """A device did not do, or did not confirm, what was asked."""

    code = "device_error"


class LinkLostError(DeviceError):
    """The link to a device is closed, timed out, or answered out of step; its last values are void."""

    code = "link_lost"


class EchoMismatchError(DeviceError):
    """A write was answered, but not with the echo of what was written: nothing may be assumed about the output."""

    code = "echo_mismatch"


class NotConfirmedError(DeviceError):
    """A movement was commanded and its limit input did not follow in time."""

    code = "not_confirmed"


class NotSentError(NotConfirmedError):
    """A command was forbidden by what was seen when its turn on the bus came: nothing was sent, nothing moved."""

    code = "not_sent"


class DeviceRefusedError(DeviceError):
    """The device answered with an exception of its protocol: it understood and will not, or there is no such point."""

    code = "device_refused"


class DeviceHeldError(DeviceError):
    """Another process owns the bus of this device; one owner at a time."""

    code = "device_held"


class RecordError(GateError):
    """The record cannot be written or does not verify; lanes close before this can lose a decision."""

    code = "record_unwritable"


class ChainBrokenError(RecordError):
    """The hash chain, a sequence or a sealed count does not hold; the message names the first broken record."""

    code = "chain_broken"


class UnsafeStoreError(RecordError):
    """The combination of SQLite build, journal mode and synchronous level can lose acknowledged records."""

    code = "unsafe_store"


class StoreBusyError(RecordError):
    """Another process holds the data directory; two writers of one record are never allowed."""

    code = "store_busy"


class StoreOnServerError(RecordError):
    """What is asked for is done with the database server's own tools: the record lies in PostgreSQL."""

    code = "store_on_server"


class LedgerRefusedError(GateError):
    """A ledger change does not fit the ledger (a used slip given back); the whole entry was not written."""

    code = "ledger_refused"


class SlipTakenError(LedgerRefusedError):
    """Other passages hold or used the slip as often as it allows; the whole entry was not written: judge again."""

    code = "slip_taken"


class CentralError(GateError):
    """The central system could not be asked, or its answer cannot be used."""

    code = "central_error"


class CentralUnreachableError(CentralError):
    """No answer from the central system: network fault, time-out or a 5xx."""

    code = "central_unreachable"


class CentralUnauthorizedError(CentralError):
    """The central system does not know this site's token, or does not allow it (401, 403); nothing is given up."""

    code = "central_unauthorized"


class CentralBusyError(CentralError):
    """The central system asks to wait (408, 425, 429); `retry_after_s` is its wish, None where it names none."""

    code = "central_busy"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CentralRefusedError(CentralError):
    """The central system refuses what was sent (any other 4xx); `status` and its `problem_code` say why."""

    code = "central_refused"

    def __init__(self, message: str, status: int, problem_code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.problem_code = problem_code


class CursorUnknownError(CentralError):
    """The central system no longer knows the cursor (410): everything is fetched anew."""

    code = "cursor_unknown"


class DestinationRefusedError(GateError):
    """An outgoing address is not on the list of allowed destinations, or its host name leads to a forbidden one."""

    code = "destination_refused"


class NotFoundError(GateError):
    """No lane, passage or slip of that name."""

    code = "not_found"


class AccessError(GateError):
    """The caller may not do this over the network; nothing was done."""

    code = "access_denied"


class NotSignedInError(AccessError):
    """The address needs a person's session or a token, and none that is valid came with the request."""

    code = "not_signed_in"


class SignInRefusedError(AccessError):
    """Name and password do not belong together, or the account is disabled; which of them is not said."""

    code = "sign_in_refused"


class OutsideSignInError(AccessError):
    """The OpenID Connect provider could not be asked, or proved nobody who has an account here."""

    code = "outside_sign_in_refused"


class SecondFactorNeededError(AccessError):
    """The password was right; the code of the person's device must come with it."""

    code = "second_factor_needed"


class SecondFactorMissingError(AccessError):
    """This role must have a second factor at this site, and the person has none yet: only enrolling is open."""

    code = "second_factor_missing"


class SessionLockedError(AccessError):
    """The session is locked after a time without its person: it shows, and does nothing until they come back."""

    code = "session_locked"


class TooManyAttemptsError(AccessError):
    """Signing in is locked for a while after failures; `retry_after_s` says for how long."""

    code = "too_many_attempts"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CrossSiteError(AccessError):
    """A state-changing request with a session cookie came without the session's CSRF token, or from another origin."""

    code = "cross_site"


class AccountError(InputError):
    """An account or token cannot be made or changed as asked: name taken, password too short, unknown role."""

    code = "account_invalid"


class IdempotencyError(InputError):
    """An Idempotency-Key is missing, malformed, or was used before with a different request."""

    code = "idempotency_key_invalid"


class OutcomeUnknownError(CommandRefusedError):
    """A request with this Idempotency-Key was begun and its answer lost to a restart: look before asking again."""

    code = "outcome_unknown"


class ListenRefusedError(ConfigError):
    """The service will not listen like this: plain HTTP off loopback, or off loopback with no users."""

    code = "listen_refused"


class SimulationError(GateError):
    """The simulated site stands still: a mistake of the simulation or of the service, never of a real site."""

    code = "simulation_stuck"
