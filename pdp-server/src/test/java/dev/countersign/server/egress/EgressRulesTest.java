package dev.countersign.server.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator writes, what it allows, and what he is told when it cannot be. */
class EgressRulesTest {
    private static final EgressRules RULES = EgressRules.parse(List.of(
            "api.example.com",
            "api.example.com:8443",
            "*.corp.example",
            "bücher.example",
            "10.1.2.3:8443",
            "[fd00::1]:8443",
            "10.9.0.0/16",
            "http://127.0.0.1:9000",
            "http://receiver.internal:9000"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://api.example.com",
                "https://API.example.com./hooks?x=1",
                "HTTPS://api.example.com:443/",
                "https://api.example.com:8443/",
                "https://a.corp.example/",
                "https://a.b.corp.example/",
                "https://xn--bcher-kva.example/",
                "https://10.1.2.3:8443/",
                "https://[fd00::1]:8443/",
                "https://[fd00:0:0::0:1]:8443/",
                "http://127.0.0.1:9000/",
                "http://receiver.internal:9000/"
            })
    void whatIsListedMayBeCalled(String url) {
        assertThatCode(() -> RULES.check(URI.create(url))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://example.com/",
                "https://api.example.com.evil.example/",
                "https://evilcorp.example/",
                "https://corp.example/",
                "https://api.example.com:444/",
                "https://a.corp.example:8443/",
                "http://api.example.com/",
                "http://api.example.com:443/",
                "https://10.1.2.3/",
                "https://10.9.0.1/",
                "https://127.0.0.1:9000/",
                "http://localhost:9000/",
                "http://127.1:9000/",
                "http://2130706433:9000/",
                "http://0x7f000001:9000/",
                "http://[::1]:9000/",
                "https://user@api.example.com/",
                "https://user:secret@api.example.com/",
                "https://api.example.com@evil.example/",
                "https://api_x.example.com:0/",
                "ftp://api.example.com/",
                "file:///etc/passwd",
                "//api.example.com/",
                "/hooks",
                "https:api.example.com"
            })
    void nothingElseMayBeCalled(String url) {
        assertThatThrownBy(() -> RULES.check(URI.create(url))).isInstanceOf(RefusedDestinationException.class);
    }

    @Test
    void aRefusalNamesTheHostAndNeverTheSecretsOfAUrl() {
        assertThatThrownBy(() -> RULES.check(URI.create("https://hooks.example/services/T0/secret?token=secret")))
                .hasMessage(
                        "https://hooks.example:443 is not among the outbound destinations that the operator allows");
        assertThatThrownBy(() -> RULES.check(URI.create("https://user:secret@api.example.com/")))
                .hasMessage("a URL that is called holds no user and no password");
    }

    @Test
    void withoutRulesNothingMayBeCalled() {
        assertThatThrownBy(() -> EgressRules.NONE.check(URI.create("https://api.example.com")))
                .isInstanceOf(RefusedDestinationException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*|is not the name of a host",
                "a.*.example|is not the name of a host",
                "''|is not the name of a host",
                "*.10.1.2.3|no names below an address",
                "127.1|neither a name nor an address",
                "fe80::1%eth0|neither a name nor an address",
                "api.example.com/hooks|neither a network",
                "https://api.example.com/hooks|has no path",
                "https://user@api.example.com|has no path, user",
                "api.example.com:0|is not a port",
                "api.example.com:65536|is not a port",
                "api.example.com:|is not a port",
                "http://api.example.com|plain http is allowed to one port only",
                "http://*.example.com:80|plain http is allowed to one host only",
                "10.0.0.0/33|longer than 32 bits",
                "10.1.0.0/8|bits set beyond its prefix",
                "ftp://api.example.com|only https and http are spoken"
            })
    void aTextThatSaysNothingClearIsCitedAndExplained(String text, String why) {
        assertThatThrownBy(() -> EgressRules.parse(List.of("api.example.com", text)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`" + text + "`")
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.255",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.0.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "::7f00:1",
                "::ffff:127.0.0.1",
                "::ffff:a00:1",
                "64:ff9b::7f00:1",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "3fff::1",
                "5f00::1",
                "fc00::1",
                "fd00:ec2::254",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1"
            })
    void aNameThatLeadsBeyondThePublicInternetIsRefused(String address) throws Exception {
        EgressRules.Destination to = RULES.destination(URI.create("https://api.example.com"));
        List<InetAddress> mixed = List.of(
                InetAddress.getByName("93.184.216.34"),
                InetAddress.getByName("2606:2800:220:1::1"),
                InetAddress.getByName(address));
        assertThatThrownBy(() -> RULES.check(to, mixed))
                .isInstanceOf(RefusedDestinationException.class)
                .hasMessageContaining(mixed.get(2).getHostAddress());
        assertThatCode(() -> RULES.check(to, mixed.subList(0, 2))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.167.255.255",
                "192.169.0.0",
                "223.255.255.255",
                "2001:200::1",
                "2a00::1"
            })
    void theAddressesBesideThoseRangesArePublic(String address) throws Exception {
        assertThat(Network.special(InetAddress.getByName(address))).isNull();
    }

    @Test
    void aListedRangeOrAddressLiftsTheBanForAllowedHostsAlone() throws Exception {
        EgressRules.Destination standard = RULES.destination(URI.create("https://api.example.com"));
        EgressRules.Destination other = RULES.destination(URI.create("https://api.example.com:8443"));
        List<InetAddress> inRange = List.of(InetAddress.getByName("10.9.200.1"));
        List<InetAddress> atPort = List.of(InetAddress.getByName("10.1.2.3"));
        assertThatCode(() -> RULES.check(standard, inRange)).doesNotThrowAnyException();
        assertThatCode(() -> RULES.check(other, atPort)).doesNotThrowAnyException();
        assertThatThrownBy(() -> RULES.check(standard, atPort))
                .hasMessage("https://api.example.com:443 leads to 10.1.2.3 (10.0.0.0/8, private),"
                        + " which the operator has not listed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host",
                "connection",
                "Transfer-Encoding",
                "content-length",
                "cookie",
                "X-Forwarded-For",
                "a\r\nb"
            })
    void aCallSetsNoHeaderThatIsNotItsOwn(String name) {
        assertThatThrownBy(() -> call(Map.of(name, "x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("a call may not set the header");
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret\r\nHost: x", "secret\n", "secret\0", "secret\u00e9"})
    void aHeaderHoldsOneLineOfAsciiAndIsNeverTold(String value) {
        assertThatThrownBy(() -> call(Map.of("Authorization", value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("secret");
    }

    private static Call call(Map<String, String> headers) {
        return new Call(
                HttpMethod.GET, URI.create("https://x.example"), headers, Buffer.buffer(), Duration.ofSeconds(1), 1);
    }
}
