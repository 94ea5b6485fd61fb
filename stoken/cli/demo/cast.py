# SPDX-License-Identifier: Apache-2.0
"""Who plays in the demo: institutions with their keys, and investors, all derived from one seed."""

from dataclasses import dataclass, field
from random import Random

from eth_hash.auto import keccak

from stoken.chain.signatures import address_of
from stoken.domain.codes import InvestorClass, OwnerType, Role, Scope

KOREA, UNITED_STATES, NORTH_KOREA = 410, 840, 408
#: What a trusted claim issuer attests of an investor: real name, and class with residency.
TOPICS = (1, 2)
TOPIC_BITS = sum(1 << topic for topic in TOPICS)


@dataclass(frozen=True, slots=True)
class Key:
    """A secp256k1 key and its address."""

    secret: bytes
    address: bytes


@dataclass(frozen=True, slots=True)
class Institution:
    """A member of the consortium; `people` are the two persons who change its keys."""

    name: str
    lei: str
    roles: Role
    people: tuple[Key, Key]
    signing: Key
    senders: tuple[Key, ...] = ()

    @property
    def member(self) -> bytes:
        """The member id on chain: the 20 ASCII characters of the LEI."""
        return self.lei.encode()


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker with its customers' cash account in the deposit token."""

    institution: Institution
    cash_account: bytes


@dataclass(frozen=True, slots=True)
class Investor:
    """One account of one person at one broker; `person` stands for the identifier only the venue's HMAC sees."""

    name: str
    person: str
    broker: Broker
    account: bytes
    identity: bytes
    investor_class: InvestorClass = InvestorClass.GENERAL
    country: int = KOREA
    topics: int = TOPIC_BITS
    claim_seconds: int = 365 * 86_400
    owner_type: OwnerType = OwnerType.CUSTOMER


@dataclass(slots=True)
class Cast:
    """Everybody in the demo."""

    institutions: dict[str, Institution]
    brokers: tuple[Broker, ...]
    claim_issuer: Key
    characters: dict[str, Investor] = field(default_factory=dict)
    crowd: list[Investor] = field(default_factory=list)

    @property
    def investors(self) -> list[Investor]:
        """The characters of the scenes, then the crowd."""
        return [*self.characters.values(), *self.crowd]


_INSTITUTIONS = (
    ("VENUE", "ZZZZ0000000000000113", Role.VENUE),
    ("REGISTRAR", "ZZZZ0000000000000307", Role.REGISTRAR),
    ("CASH_AGENT", "ZZZZ0000000000000404", Role.CASH_AGENT),
    ("ISSUER1", "ZZZZ0000000000000598", Role.ISSUER),
    ("ISSUER2", "ZZZZ0000000000000695", Role.ISSUER),
    ("BROKER1", "ZZZZ0000000000001665", Role.ACCOUNT_MANAGER),
    ("BROKER2", "ZZZZ0000000000001762", Role.ACCOUNT_MANAGER),
    ("BROKER3", "ZZZZ0000000000001859", Role.ACCOUNT_MANAGER),
    ("SUPERVISOR", "ZZZZ0000000000001956", Role.SUPERVISOR),
    ("CLAIM_ISSUER1", "ZZZZ0000000000002053", Role.CLAIM_ISSUER),
)

_CUSTOMER = InvestorClass.GENERAL
_PROFESSIONAL = InvestorClass.PROFESSIONAL

#: Name, broker, person if not the name itself, and what sets the character apart.
_CHARACTERS: tuple[tuple[str, int, dict[str, object]], ...] = (
    ("entrustor", 0, {"investor_class": _PROFESSIONAL}),
    ("seller", 0, {"investor_class": _PROFESSIONAL}),
    ("ship-seller", 1, {"investor_class": _PROFESSIONAL}),
    ("near-the-cap", 1, {"investor_class": _PROFESSIONAL}),
    ("buyer", 1, {}),
    ("rich", 2, {}),
    ("poor", 2, {}),
    ("twin-at-1", 0, {"person": "twin"}),
    ("twin-at-2", 1, {"person": "twin"}),
    ("unverified", 2, {"topics": 0}),
    ("expired", 1, {"claim_seconds": 1}),
    ("sanctioned", 0, {}),
    ("quasi", 2, {"investor_class": InvestorClass.QUASI_PROFESSIONAL}),
    ("foreigner", 1, {"country": NORTH_KOREA}),
)


def _secret(seed: int, name: str) -> bytes:
    return keccak(f"stoken demo {seed} {name}".encode())


def _key(seed: int, name: str) -> Key:
    secret = _secret(seed, name)
    return Key(secret, address_of(secret))


def _institution(seed: int, name: str, lei: str, roles: Role) -> Institution:
    senders = tuple(_key(seed, f"{name} sender {lane}") for lane in (1, 2)) if Role.VENUE in roles else ()
    people = (_key(seed, f"{name} person 1"), _key(seed, f"{name} person 2"))
    return Institution(name, lei, roles, people, _key(seed, f"{name} signing"), senders)


def _investor(random: Random, name: str, broker: Broker, traits: dict[str, object]) -> Investor:
    values: dict[str, object] = {"person": name, **traits}
    return Investor(name=name, broker=broker, account=random.randbytes(20), identity=random.randbytes(20), **values)  # type: ignore[arg-type]


def assemble(seed: int, investors: int) -> Cast:
    """Return the demo's cast: the characters of its scenes and a crowd of verified investors."""
    random = Random(seed)  # noqa: S311 - a reproducible demo, not a secret
    institutions = {name: _institution(seed, name, lei, roles) for name, lei, roles in _INSTITUTIONS}
    brokers = tuple(Broker(institutions[f"BROKER{n}"], random.randbytes(20)) for n in (1, 2, 3))
    cast = Cast(institutions, brokers, _key(seed, "CLAIM_ISSUER1 attestation"))
    for name, broker, traits in _CHARACTERS:
        cast.characters[name] = _investor(random, name, brokers[broker], traits)
    for number in range(investors):
        cast.crowd.append(_investor(random, f"investor-{number}", brokers[number % 3], {}))
    return cast


SIGNING_SCOPES = Scope.ORDER | Scope.INSTRUCTION | Scope.CASH
