package dev.countersign.server.issuers;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** An issuer of tokens on this machine, which publishes keys over http. */
public final class Idp implements AutoCloseable {
    /** The claim with roles. */
    public static final String ROLES = "roles";

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();
    private volatile String published = "{\"keys\": []}";
    private volatile int status = 200;

    /** One that publishes these keys. */
    public Idp(JWK... keys) {
        try {
            server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        publish(keys);
        server.createContext("/jwks", exchange -> {
            asked.incrementAndGet();
            byte[] body = published.getBytes(UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            try (var out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
        server.start();
    }

    /** Publishes these keys and no others. */
    public void publish(JWK... keys) {
        answer(200, new JWKSet(List.of(keys)).toString(true));
    }

    /** Publishes this. */
    public void answer(int with, String body) {
        published = body;
        status = with;
    }

    /** How often its keys were read. */
    public int asked() {
        return asked.get();
    }

    /** What an operator has to allow. */
    public String origin() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Where the keys are. */
    public String jwks() {
        return origin() + "/jwks";
    }

    /** What its tokens have as {@code iss}. */
    public String issuer() {
        return origin();
    }

    /** A new key on P-256. */
    public static ECKey ec(String kid) {
        try {
            return new ECKeyGenerator(Curve.P_256)
                    .keyID(kid)
                    .keyUse(KeyUse.SIGNATURE)
                    .generate();
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    /** A new RSA key. */
    public static RSAKey rsa(String kid, int bits) {
        try {
            return new RSAKeyGenerator(bits, true)
                    .keyID(kid)
                    .keyUse(KeyUse.SIGNATURE)
                    .generate();
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    /** Claims that are good for five minutes. */
    public JWTClaimsSet.Builder claims(String audience, String sub, String... roles) {
        Instant now = Instant.now();
        return new JWTClaimsSet.Builder()
                .issuer(issuer())
                .audience(audience)
                .subject(sub)
                .issueTime(Date.from(now))
                .expirationTime(Date.from(now.plusSeconds(300)))
                .claim(ROLES, Arrays.asList(roles));
    }

    /** A header as it is usual. */
    public static JWSHeader.Builder header(JWSAlgorithm algorithm, String kid) {
        return new JWSHeader.Builder(algorithm)
                .type(new JOSEObjectType("at+jwt"))
                .keyID(kid);
    }

    /** A signed token. */
    public static String sign(JWK key, JWSHeader header, JWTClaimsSet claims) {
        try {
            JWSSigner signer = key instanceof ECKey ec
                    ? new ECDSASigner(ec)
                    : new RSASSASigner(key.toRSAKey().toPrivateKey(), true);
            var token = new SignedJWT(header, claims);
            token.sign(signer);
            return token.serialize();
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    /** A token signed by ES256. */
    public static String sign(ECKey key, JWTClaimsSet claims) {
        return sign(key, header(JWSAlgorithm.ES256, key.getKeyID()).build(), claims);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
