"""SPF, DKIM and DMARC records are read as receivers read them: what a record comes to, or that it comes to nothing."""

from base64 import b64encode
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.resolver import Resolver
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.cli.doctor import dkim, dmarc, spf
from mailer.cli.doctor.resolver import resolver_at, tags
from tests.names import Names

DOMAIN = "sender.example.org"
ZONE = {
    "sound.example.org TXT": ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    "none.example.org TXT": ['"hello"'],
    "two.example.org TXT": ['"v=spf1 -all"', '"v=spf1 ~all"'],
    "typo.example.org TXT": ['"v=spf1 ipv4:192.0.2.1 -all"'],
    "self.example.org TXT": ['"v=spf1 include:self.example.org -all"'],
    "there.example.org TXT": ['"v=spf1 redirect=back.example.org"'],
    "back.example.org TXT": ['"v=spf1 redirect=there.example.org"'],
    "closed.example.org TXT": ['"v=spf1 -all redirect=none.example.org include:none.example.org"'],
    "deep.example.org TXT": ['"v=spf1 include:Sound.example.org. ?all"'],
    "open.example.org TXT": ['"v=spf1 mx:sound.example.org +all"'],
    "nobody.example.org TXT": ['"v=spf1 ?mx:sound.example.org -all"'],
    "voids.example.org TXT": ['"v=spf1 a:nowhere.example.org mx:none.example.org exists:gone.example.org -all"'],
    **{f"{name} A": ["192.0.2.1"] for name in (DOMAIN, "example.org", "x_y.example.org", "unasked.example.org")},
    **{f"{name} MX": ["1 mx.example.org."] for name in (DOMAIN, "example.org", "sound.example.org")},
    "a.example.org AAAA": ["2001:db8::1"],
    "20.example.org TXT": ['"v=spf1 a:unasked.example.org"'],
    **{f"{n}.example.org TXT": [f'"v=spf1 include:{n + 1}.example.org -all"'] for n in range(20)},
}


def resolver_for(names: Names) -> Resolver:
    resolver = resolver_at(names.place)
    assert resolver is not None
    return resolver


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    with Names(ZONE) as names:
        yield resolver_for(names)


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1",
        "V=SPF1 +A/24 MX:Example.org//64 a:example.org/0//128 ?ptr ptr:example.org ~ALL",
        "v=spf1  ip4:192.0.2.1   ip6:2001:db8::/32 ip6:::ffff:192.0.2.1 exists:%{ir}.%{v}._spf.%{d2} -all ",
        "v=spf1 include:%{l1r-}.example.org include:%{d} exp=explain.%{d} later=%{i}%% other= -all",
        "v=spf1 redirect=none.example.org -all",
        "v=spf1 -all include:none.example.org",
        "v=spf1 include:closed.example.org -all",
        "v=spf1 " + "a " * 10 + "-all",
        "v=spf1 " + "a:x_y.example.org " * 10 + "redirect=none.example.org -all",
        "v=spf1 include:12.example.org -all",
        "v=spf1 a:nowhere.example.org mx:none.example.org a:a.example.org exists:%{i}.example.org ptr -all",
    ],
)
def test_what_may_stand_in_a_record_is_read(resolver: Resolver, record: str) -> None:
    """Each term of RFC 7208 is known, in any case; nothing is asked of what `all` keeps from being looked at."""
    spf.passing(resolver, DOMAIN, record)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("v=spf1 ipv4:192.0.2.1 -all", "ipv4:192.0.2.1"),
        ("v=spf1 -all ipv4:192.0.2.1", "ipv4:192.0.2.1"),
        ("v=spf1 ip4:192.0.2 -all", "ip4:192.0.2"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "/33"),
        ("v=spf1 ip6:192.0.2.1 -all", "ip6"),
        ("v=spf1 ip4 -all", "ip4"),
        ("v=spf1 a:example.org/24//129 -all", "/129"),
        ("v=spf1 all:example.org", "all:"),
        ("v=spf1 include: -all", "include:"),
        ("v=spf1 include -all", "include"),
        ("v=spf1 include:sound.example.org/24 -all", "/24"),
        ("v=spf1 include:a..b -all", "a..b"),
        (f"v=spf1 include:{'a' * 64}.example.org -all", "aaaa"),
        (f"v=spf1 a:{'a.' * 126}example.org -all", "a.a.a"),
        ("v=spf1 exists:localhost -all", "localhost"),
        ("v=spf1 a:192.0.2.1 -all", "a:192.0.2.1"),
        ("v=spf1 include:%{x}.example.org -all", "%{x}"),
        ("v=spf1 later=100% -all", "100%"),
        ("v=spf1 -redirect=sound.example.org", "-redirect"),
        ("v=spf1 redirect= -all", "redirect="),
        ("v=spf1 redirect=sound.example.org redirect=sound.example.org", "more than once"),
        ("v=spf1\ta -all", "\t"),
        ("v=spf1 include:none.example.org -all", "no SPF record"),
        ("v=spf1 include:nowhere.example.org -all", "no SPF record"),
        ("v=spf1 redirect=none.example.org", "no SPF record"),
        ("v=spf1 include:two.example.org -all", "2 SPF records"),
        ("v=spf1 include:typo.example.org -all", "the record of typo.example.org"),
        ("v=spf1 include:Sender.Example.ORG -all", "back to itself"),
        ("v=spf1 include:self.example.org -all", "back to itself"),
        ("v=spf1 redirect=there.example.org", "back to itself"),
        ("v=spf1 " + "a " * 11 + "-all", "more than 10"),
        ("v=spf1 " + "a " * 10 + "include:sound.example.org -all", "more than 10"),
        ("v=spf1 " + "a " * 10 + "redirect=sound.example.org", "more than 10"),
        ("v=spf1 include:1.example.org -all", "more than 10"),
        ("v=spf1 a:nowhere.example.org mx:none.example.org exists:gone.example.org -all", "names are not there"),
        ("v=spf1 mx ?include:voids.example.org -all", "a:nowhere.example.org in the record of voids.example.org"),
    ],
)
def test_a_broken_record_is_told(resolver: Resolver, record: str, why: str) -> None:
    """Whatever makes receivers give the record up (RFC 7208 sections 4.6, 5.2, 6.1) is named, with what to do."""
    if why == "\t":
        record += " \t"
    with pytest.raises(spf.Broken) as broken:
        spf.passing(resolver, DOMAIN, record)
    assert why in str(broken.value)
    assert broken.value.to_do


def taken_in(resolver: Resolver, record: str) -> set[str]:
    return {term.target for term in spf.passing(resolver, DOMAIN, record) if term.takes_in}


def test_what_a_record_takes_in_is_found_at_any_depth(resolver: Resolver) -> None:
    """The names behind `include` and `redirect` are found where they count, in lower case and without a last dot."""
    both = {"deep.example.org", "sound.example.org"}
    assert taken_in(resolver, "v=spf1 include:deep.example.org include:%{d} -all") == both
    assert taken_in(resolver, "v=spf1 redirect=deep.example.org") == both
    assert not taken_in(resolver, "v=spf1 redirect=deep.example.org ~all")
    assert not taken_in(resolver, "v=spf1 include=deep.example.org ~all")
    for qualifier in "-~?":
        assert not taken_in(resolver, f"v=spf1 {qualifier}include:deep.example.org mx -all")


@pytest.mark.parametrize(
    ("record", "term"),
    [
        ("v=spf1 mx +all", "+all"),
        ("v=spf1 ALL", "ALL"),
        ("v=spf1 ip4:0.0.0.0/0 -all", "ip4:0.0.0.0/0"),
        ("v=spf1 ip6:::/0 -all", "ip6:::/0"),
        ("v=spf1 a/24//0 -all", "a/24//0"),
        ("v=spf1 redirect=open.example.org", "+all"),
        ("v=spf1 ip4:192.0.2.1 include:open.example.org -all", "+all"),
        ("v=spf1 ip4:192.0.2.1 ~include:open.example.org -all", None),
        ("v=spf1 ip4:192.0.2.1 -all +all", None),
        ("v=spf1 ip4:192.0.2.0/24 ?ip4:0.0.0.0/0 -all", None),
    ],
)
def test_a_record_that_lets_everybody_pass_is_known(resolver: Resolver, record: str, term: str | None) -> None:
    """Whichever term does it, in the record itself or in one that it takes in; not where that has no say."""
    passing = spf.passing(resolver, DOMAIN, record)
    assert next((one.text for one in passing if one.is_everybody), None) == term


_TERMS = st.sampled_from(
    ["a", "mx", "all", "include:", "redirect=", "exists:", "ip4:", "ip6:", "%{d}", "/", "//", "24", ".", ":", "=", "-"]
) | st.sampled_from([name.split()[0] for name in ZONE])
_RECORDS = st.lists(st.lists(_TERMS | st.text(max_size=3), max_size=4).map("".join), max_size=14).map(" ".join)


@settings(max_examples=200)
@given(_RECORDS)
def test_no_record_is_too_much(terms: str) -> None:
    """Whatever stands in a record, it is read or told as broken, with no more terms asked for than by a receiver."""
    with Names(ZONE) as names:
        try:
            spf.passing(resolver_for(names), DOMAIN, f"v=spf1 {terms}")
        except spf.Broken as broken:
            assert broken.to_do
        assert len(names.asked) <= 20  # an `a` is asked for in both kinds of address


# --- DMARC ------------------------------------------------------------------------------------------------------------

NONE, REJECT = "v=DMARC1; p=none", "v=DMARC1; p=reject"


@pytest.mark.parametrize(
    ("records", "place", "organisation"),
    [
        ({}, "a.mail.example.org", "a.mail.example.org"),
        ({"mail.example.org": REJECT, "example.org": NONE}, "example.org", "example.org"),
        ({"a.mail.example.org": REJECT, "example.org": NONE}, "a.mail.example.org", "example.org"),
        ({"mail.example.org": f"{REJECT}; psd=n", "example.org": NONE}, "mail.example.org", "mail.example.org"),
        ({"org": f"{REJECT}; psd=y"}, "org", "example.org"),
        ({"example.org": NONE, "org": f"{REJECT}; psd=y"}, "example.org", "example.org"),
        ({"a.mail.example.org": f"{NONE}; psd=y", "example.org": NONE}, "a.mail.example.org", "a.mail.example.org"),
        ({"mail.example.org": "p=reject; v=DMARC1", "org": "v=DMARC2; p=none"}, *["a.mail.example.org"] * 2),
        ({"example.org": "V = DMARC1 ;P=none; PSD = N"}, "example.org", "example.org"),
        ({"example.org": "v=dmarc1; p=none"}, *["a.mail.example.org"] * 2),
    ],
)
def test_a_policy_is_found_on_the_way_up(records: dict[str, str], place: str, organisation: str) -> None:
    """Policy and organisation are those of RFC 9989 section 4.10: the domain's own, else where the walk says."""
    domain = "a.mail.example.org"
    with Names({f"_dmarc.{name} TXT": [f'"{record}"'] for name, record in records.items()}) as names:
        met = dmarc.walk(resolver_for(names), domain)
    assert dmarc.policy(domain, met) == (place, records.get(place, ""))
    assert dmarc.organisation(domain, met) == organisation


def test_several_records_are_as_none() -> None:
    """Where two stand side by side receivers discard both and go on upwards; the walk still tells of them."""
    zone = {"_dmarc.mail.example.org TXT": [f'"{NONE}"', f'"{REJECT}"'], "_dmarc.example.org TXT": [f'"{NONE}"']}
    with Names(zone) as names:
        met = dmarc.walk(resolver_for(names), "mail.example.org")
    assert len(met["mail.example.org"]) == 2
    assert dmarc.policy("mail.example.org", met) == ("example.org", NONE)


def test_a_long_name_is_shortened() -> None:
    """No more than eight questions are asked, those of the example in RFC 9989 section 4.10."""
    with Names({}) as names:
        dmarc.walk(resolver_for(names), "a.b.c.d.e.f.g.h.i.j.mail.example.com")
    assert names.asked == [
        f"_dmarc.{name} TXT"
        for name in (
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com",
        )
    ]


def test_a_subdomain_may_be_asked_for_something_else() -> None:
    """What `sp` says holds below the place of the record, and `p` where that is left out and at the place itself."""
    record = "v=DMARC1; p=NONE; sp=Quarantine"
    assert dmarc.requested("example.org", "example.org", record) == "none"
    assert dmarc.requested("mail.example.org", "example.org", record) == "quarantine"
    assert dmarc.requested("mail.example.org", "example.org", "v=DMARC1; p=reject") == "reject"
    assert dmarc.requested("example.org", "example.org", "v=DMARC1") == ""


@pytest.mark.parametrize(("policy", "asked"), [("none", "none"), ("quarantine", "none"), ("reject", "quarantine")])
def test_a_policy_that_is_tested_asks_for_less(policy: str, asked: str) -> None:
    """With `t=y` it is the one below (RFC 9989 section 4.7), and with any other value the one that stands there."""
    for tested, wanted in (("y", asked), ("Y", asked), ("n", policy)):
        assert dmarc.requested("example.org", "example.org", f"v=DMARC1; p={policy}; t={tested}") == wanted


@pytest.mark.parametrize(
    ("record", "lets"),
    [
        ("v=spf1 -all", False),
        ("v=spf1", False),
        ("v=spf1 ?a -include:sound.example.org exp=explain.example.org ~all", False),
        ("v=spf1 +mx -all", True),
        ("v=spf1 IP4:192.0.2.1 -all", True),
        ("v=spf1 redirect=sound.example.org", True),
        ("v=spf1 redirect=nobody.example.org", False),
        ("v=spf1 include:nobody.example.org ~all", False),
        ("v=spf1 include:%{d}.example.org -all", True),
    ],
)
def test_a_record_that_names_nobody_is_known(resolver: Resolver, record: str, *, lets: bool) -> None:
    """What lets no server pass is no proof for a mailing, however sound it is."""
    assert (not all(term.takes_in for term in spf.passing(resolver, DOMAIN, record))) is lets


# --- DKIM -------------------------------------------------------------------------------------------------------------


def rsa(bits: int, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """A key of so many bits, as it is published."""
    return b64encode(RSAPublicNumbers(65537, 2**bits - 1).public_key().public_bytes(Encoding.DER, form)).decode()


ED25519 = b64encode(
    Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()


@pytest.mark.parametrize(
    "record",
    [
        f"v=DKIM1; k=rsa; p={rsa(1024)}",
        f"p={rsa(2048)}; n=a note; t=s",
        f"v=DKIM1;k=RSA;h=sha1:sha256;s=tlsrpt:email;p={rsa(4096)};",
        f"v=DKIM1; p={rsa(2048)[:100]} {rsa(2048)[100:]}",
        f"v=DKIM1; p={rsa(1024).rstrip('=')}",
        f"v=DKIM1; p={rsa(2048, PublicFormat.PKCS1)}",
        f"v=DKIM1; k=ed25519; p={ED25519}",
        "v=DKIM1; k=later; p=c29tZXRoaW5n",
    ],
)
def test_a_key_that_receivers_can_use_is_sound(record: str) -> None:
    """Every form that the standards allow; a kind of key that is not known here is left to those who know it."""
    assert dkim.fault(tags(record)) is None


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (f"v=DKIM1; k=rsa; p={rsa(2048)[:230]}", "cut off"),
        (f"v=DKIM1; k=rsa; p={rsa(2048)[:231]}", "cut off"),
        (f"v=DKIM1; p={rsa(2048)}{rsa(2048)}", "damaged"),
        (f"v=DKIM1; p=-----BEGIN PUBLIC KEY-----{rsa(2048)}", "damaged"),
        ("v=DKIM1; p=none", "damaged"),
        (f"v=DKIM1; p={rsa(1023)}", "1023 bits"),
        (f"v=DKIM1; k=ed25519; p={ED25519[:40]}", "cut off"),
        (f"v=DKIM2; p={rsa(2048)}", "v=DKIM1"),
        (f"k=rsa; v=DKIM1; p={rsa(2048)}", "v=DKIM1"),
        (f"v=DKIM1; s=tlsrpt; p={rsa(2048)}", "not meant for mail"),
        (f"v=DKIM1; h=sha1; p={rsa(2048)}", "hash"),
    ],
)
def test_a_key_that_receivers_pass_over_is_told(record: str, why: str) -> None:
    """Such as one of which the form of a provider took the first part only, or whose header was pasted with it."""
    assert why in (dkim.fault(tags(record)) or "")


@given(st.binary(max_size=400))
def test_no_key_is_too_strange(octets: bytes) -> None:
    """Whatever is published is judged."""
    dkim.fault({"p": b64encode(octets).decode() or "="})
