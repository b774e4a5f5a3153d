"""Mail domains that tell nothing about whom a person works for."""

from __future__ import annotations

import re

# Providers that give a box to anybody, under many endings (yahoo.fr, hotmail.co.uk, gmx.net).
_PROVIDERS = re.compile(
    r"(?:aol|fastmail|gmail|gmx|googlemail|hotmail|hushmail|icloud|inbox|live|mail|outlook|proton|protonmail|rediffmail"
    r"|rocketmail|tutanota|tuta|yahoo|yandex|ymail|zoho|zohomail)"
    r"\.(?:com?|net|org|me|io|in|ch|[a-z]{2})(?:\.[a-z]{2})?"
)
# Other free boxes, and those of internet access providers.
_BOXES = frozenset({
    "126.com", "139.com", "163.com", "188.com", "21cn.com", "aliyun.com", "att.net", "bellsouth.net", "bigpond.com",
    "bk.ru", "bluewin.ch", "btinternet.com", "centrum.cz", "charter.net", "comcast.net", "cox.net", "daum.net",
    "duck.com", "earthlink.net", "eircom.net", "email.com", "email.cz", "foxmail.com", "free.fr", "freemail.hu",
    "freenet.de", "hanmail.net", "hey.com", "home.nl", "interia.pl", "internet.ru", "juno.com", "laposte.net",
    "libero.it", "list.ru", "mac.com", "mailfence.com", "me.com", "msn.com", "naver.com", "netscape.net", "o2.pl",
    "onet.pl", "optimum.net", "optonline.net", "orange.fr", "passport.com", "pm.me", "posteo.de", "qq.com",
    "rambler.ru", "rogers.com", "runbox.com", "sapo.pt", "sbcglobal.net", "seznam.cz", "sfr.fr", "sina.cn",
    "sina.com", "sky.com", "skynet.be", "sohu.com", "swissonline.ch", "sympatico.ca", "t-online.de", "telenet.be",
    "telia.com", "terra.com.br", "tiscali.it", "ukr.net", "uol.com.br", "usa.net", "verizon.net", "vip.163.com",
    "vip.qq.com", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl", "xs4all.nl", "ziggo.nl",
})  # fmt: skip
# Hosts of many missions and offices at once, also where a list happens to hold only one of them.
_SHARED_HOSTS = frozenset({"un.int", "un.org", "undp.org"})


def tells_nothing(domain: str) -> bool:
    """Whether anybody, or many organisations, may have an address at `domain` (in lower case)."""
    return domain in _BOXES or domain in _SHARED_HOSTS or _PROVIDERS.fullmatch(domain) is not None
