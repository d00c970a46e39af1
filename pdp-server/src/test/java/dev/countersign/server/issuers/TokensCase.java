package dev.countersign.server.issuers;

import static com.nimbusds.jose.JWSAlgorithm.ES256;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition.Known;
import dev.countersign.server.issuers.Recognition.Refused;
import io.vertx.core.Vertx;
import java.net.URI;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** An issuer of a tenant, another one of another tenant with a key of the same id, and tokens of both. */
abstract class TokensCase {
    static final String AUDIENCE = "countersign";
    static final UUID ACME = new UUID(0, 1);
    static final UUID PERSON = new UUID(0, 9);

    static final ECKey EC = Idp.ec("ec");
    static final RSAKey RSA = Idp.rsa("rsa", 2048);
    static final RSAKey WEAK = Idp.rsa("weak", 1024);
    static final ECKey FOREIGN = Idp.ec("ec");

    static Vertx vertx;
    static Idp idp;
    static Idp foreign;

    Instant now = Instant.now();
    Issuers issuers = Issuers.NONE;
    KeySets keys;
    TokenCallers callers;

    @BeforeAll
    static void serve() {
        vertx = Vertx.vertx();
        idp = new Idp(EC, RSA, WEAK);
        foreign = new Idp(FOREIGN);
    }

    @AfterAll
    static void stop() throws Exception {
        idp.close();
        foreign.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    static Issuer issuer(UUID id, String tenant, Idp at, String audience, String... algorithms) {
        var terms = new Issuer.Terms(
                URI.create(at.jwks()),
                List.of(algorithms),
                Idp.ROLES,
                Map.of(
                        "agents", List.of(Role.DECIDE),
                        "all", Arrays.asList(Role.values())));
        return new Issuer(id, tenant, at.issuer(), audience, terms, Instant.EPOCH, "test", null, null);
    }

    @BeforeEach
    void register() throws Exception {
        register(
                issuer(ACME, "acme", idp, AUDIENCE, "ES256", "RS256", "PS256"),
                issuer(new UUID(0, 2), "other", foreign, "other", "ES256"));
    }

    void register(Issuer... all) throws Exception {
        issuers = new Issuers(
                List.of(all),
                Map.of(
                        ACME,
                        Map.of(
                                "ann", new Issuers.Known(PERSON, "Ann", true),
                                "ben", new Issuers.Known(PERSON, "Ben", false))));
        var egress = new Egress(vertx, EgressRules.parse(List.of(idp.origin(), foreign.origin())), null);
        keys = new KeySets(egress, () -> now);
        callers = new TokenCallers(() -> issuers, keys, () -> now);
        keys.follow(issuers);
        keys.start(vertx).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    static JWTClaimsSet.Builder claims(String sub, String... roles) {
        return idp.claims(AUDIENCE, sub, roles);
    }

    static String good() {
        return Idp.sign(EC, claims("bot", "agents").build());
    }

    Caller known(String token) {
        Recognition recognition = callers.recognize(token);
        assertThat(recognition).isInstanceOf(Known.class);
        return ((Known) recognition).caller();
    }

    void refused(String token, Refused why) {
        assertThat(callers.recognize(token)).isEqualTo(why);
        assertThat(callers.recognize(good()))
                .as("the server still takes good ones")
                .isInstanceOf(Known.class);
    }

    void unfit(UnaryOperator<JWTClaimsSet.Builder> change, Refused why) {
        refused(Idp.sign(EC, change.apply(claims("bot", "agents")).build()), why);
    }

    void header(UnaryOperator<JWSHeader.Builder> change, Refused why) {
        JWSHeader header = change.apply(Idp.header(ES256, "ec")).build();
        refused(Idp.sign(EC, header, claims("bot", "agents").build()), why);
    }

    Date at(int seconds) {
        return Date.from(now.plusSeconds(seconds));
    }
}
