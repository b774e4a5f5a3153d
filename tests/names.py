"""A DNS server on loopback whose every answer is scripted."""

import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class Names:
    """Knows `zone` ("name TYPE" -> records, or a fault to say in their place) or says `rcode`; None says nothing."""

    def __init__(
        self, zone: Mapping[str, list[str] | dns.rcode.Rcode], rcode: dns.rcode.Rcode | None = dns.rcode.NOERROR
    ) -> None:
        self.zone, self.rcode = zone, rcode
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            octets, client = self._socket.recvfrom(4096)
            if not octets:
                return
            query = dns.message.from_wire(octets)
            (question,) = query.question
            name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(f"{name} {kind}")
            if self.rcode is None:
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            answer.set_rcode(self.rcode)
            records = self.zone.get(f"{name} {kind}")
            if isinstance(records, dns.rcode.Rcode):
                answer.set_rcode(records)
            elif records:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
            elif self.rcode == dns.rcode.NOERROR and not any(known.split()[0] == name for known in self.zone):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), client)
