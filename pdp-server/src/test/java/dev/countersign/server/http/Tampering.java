package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.Sql;

/** Tokens that no server has made: some with the server's own key, some with another. */
final class Tampering {
    private Tampering() {}

    static ObjectNode claims(String token) throws Exception {
        return (ObjectNode) Reply.parse(JWSObject.parse(token).getPayload().toString());
    }

    static JsonNode header(String token) throws Exception {
        return Reply.parse(JWSObject.parse(token).getHeader().toString());
    }

    /** A key as servers make them. */
    static ECKey newKey() throws Exception {
        return new ECKeyGenerator(Curve.P_256)
                .algorithm(JWSAlgorithm.ES256)
                .keyUse(KeyUse.SIGNATURE)
                .keyIDFromThumbprint(true)
                .generate();
    }

    /** The key that the servers on a database sign with. */
    static ECKey own(PostgresAddress database) throws Exception {
        return ECKey.parse(Sql.query(
                database,
                "select private_jwk from signing_keys where sign_from <= now() order by created_at desc limit 1"));
    }

    /** A token with the header of another one and these claims, truly signed with this key. */
    static String signed(String like, JsonNode claims, ECKey key) throws Exception {
        var token = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .type(JWSObject.parse(like).getHeader().getType())
                        .keyID(key.getKeyID())
                        .build(),
                new Payload(claims.toString()));
        token.sign(new ECDSASigner(key));
        return token.serialize();
    }

    /** A token that claims the server's key, and is signed with another. */
    static String forged(String like, JsonNode claims) throws Exception {
        String kid = JWSObject.parse(like).getHeader().getKeyID();
        ECKey mine = new ECKey.Builder(newKey()).keyID(kid).build();
        return signed(like, claims, mine);
    }

    /** The claims of one token under the signature of the same. */
    static String altered(String token, JsonNode claims) throws Exception {
        String[] parts = token.split("\\.");
        return parts[0] + "." + new Payload(claims.toString()).toBase64URL() + "." + parts[2];
    }

    /** A token without a signature. */
    static String unsigned(JsonNode claims) {
        return new Payload("{\"alg\":\"none\"}").toBase64URL() + "." + new Payload(claims.toString()).toBase64URL()
                + ".";
    }

    /** The claims without one of them. */
    static ObjectNode without(ObjectNode claims, String name) {
        ObjectNode fewer = claims.deepCopy();
        fewer.remove(name);
        return fewer;
    }
}
