"""Where webhooks may go."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from services.chassis.addresses import allowed_address, target_of
from services.contracts.errors import UrlNotAllowed

REFUSED = [
    "http://example.org/hook",
    "ftp://example.org/",
    "https:///hook",
    "https://",
    "example.org/hook",
    "https://user:word@example.org/",
    "https://example.org@127.0.0.1/",
    "https://example.org/#part",
    "https://example.org:0/",
    "https://example.org:99999/",
    "https://example.org:/",
    "https://exa mple.org/",
    "https://example.org/\r\nx: y",
    "https://example.org\\@127.0.0.1/",
    "https://localhost/",
    "https://hook/",
    "https://a.localhost/",
    "https://rabbitmq.internal/",
    "https://printer.local/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.2.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[ff02::1]/",
    "https://bücher.example/",
    "https://-a.example/",
    "https://a_b.example.org/",
]
DEMO_REFUSED = [
    "http://127.0.0.1/",
    "http://127.0.0.1:80/",
    "http://127.0.0.1:1023/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:08080/",
    "http://localhost:8080/",
    "http://127.0.0.2:8080/",
    "http://127.1:8080/",
    "http://127.0.0.1:8080@example.org/",
    "http://x@127.0.0.1:8080/",
    "http://[::1]:8080/",
    "HTTP://127.0.0.1:8080/",
    "https://127.0.0.1:8080/",
    "http://127.0.0.1:8080/#a",
    "http://127.0.0.1:8080\\x",
    "http://127.0.0.1:8080/\n",
    " http://127.0.0.1:8080/",
]


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_https_or_not_public_is_refused(url: str, demo: bool) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        target_of(url, demo=demo)
    assert refused.value.errors[0].pointer == "/url"


@pytest.mark.parametrize("url", DEMO_REFUSED)
def test_the_demo_lets_through_its_own_form_and_no_other(url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        target_of(url, demo=True)


def test_a_public_name_is_let_through() -> None:
    target = target_of("https://hooks.example.org/a/b?c=d", demo=False)
    assert (target.host, target.port, target.path) == ("hooks.example.org", 443, "/a/b?c=d")
    assert target.address is None
    assert target.host_header == "hooks.example.org"
    assert target_of("https://hooks.example.org:8443", demo=False).host_header == "hooks.example.org:8443"


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://[2606:4700::1111]/"])
def test_a_public_address_is_let_through(url: str) -> None:
    assert target_of(url, demo=False).address is not None


def test_this_machine_is_let_through_in_a_demo_alone() -> None:
    target = target_of("http://127.0.0.1:8080/hook?x", demo=True)
    assert (target.host, target.port, target.path) == ("127.0.0.1", 8080, "/hook?x")
    assert target.on_this_machine
    with pytest.raises(UrlNotAllowed):
        target_of("http://127.0.0.1:8080/hook", demo=False)


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_allowed(text: str) -> None:
    assert allowed_address(ip_address(text))
