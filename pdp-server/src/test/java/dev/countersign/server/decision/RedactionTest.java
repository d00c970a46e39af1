package dev.countersign.server.decision;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.facts.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {
    /** What is written; a value is called clean exactly if that is the value itself. */
    private static String written(Set<String> names, String json) throws IOException {
        var redaction = new Redaction(names);
        var value = new ObjectMapper().readTree(json);
        var out = new ByteArrayOutputStream();
        try (var generator = Json.generator(out)) {
            redaction.write(generator, value);
        }
        String written = out.toString(StandardCharsets.UTF_8);
        assertThat(redaction.clean(value)).isEqualTo(written.equals(value.toString()));
        return written;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{\"a\":null,\"b\":[null,{\"c\":null}]}",
                "{\"a\":1,\"b\":-2.5,\"c\":true,\"d\":\"\\u0000\\\"\",\"e\":[],\"f\":{},\"g\":12345678901234567890}",
                "[1,[2,[\"token\"]]]",
                "{\"max_tokens\":100,\"pinned\":\"a\",\"spin\":\"b\",\"tokenizer\":\"c\"}"
            })
    void whatIsNoCredentialIsWrittenAsItIs(String json) throws IOException {
        assertThat(written(Redaction.DEFAULT, json)).isEqualTo(json);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "password",
                "PassWord",
                "API-Key",
                "api_key",
                "Set-Cookie",
                "cvv",
                "AUTHORIZATION",
                "accessToken",
                "clientSecret",
                "x-api-key",
                "apiKeys",
                "db_password"
            })
    void aCredentialIsKnownByItsNameInAnyCaseAndDepth(String name) throws IOException {
        String digest = "{\"sha256\":\"" + Sha256.hex("hunter2") + "\"}";
        assertThat(written(Redaction.DEFAULT, "{\"a\":[{\"" + name + "\":\"hunter2\"}]}"))
                .isEqualTo("{\"a\":[{\"" + name + "\":" + digest + "}]}");
    }

    @Test
    void aCredentialThatIsNoTextIsRedactedAsItsJson() throws IOException {
        assertThat(written(Redaction.DEFAULT, "{\"credentials\":{\"user\":\"a\",\"password\":\"b\"},\"pin\":1234}"))
                .isEqualTo("{\"credentials\":{\"sha256\":\"" + Sha256.hex("{\"user\":\"a\",\"password\":\"b\"}")
                        + "\"},\"pin\":{\"sha256\":\"" + Sha256.hex("1234") + "\"}}");
    }

    @Test
    void aCredentialOfNullStaysNull() throws IOException {
        assertThat(written(Redaction.DEFAULT, "{\"token\":null}")).isEqualTo("{\"token\":null}");
    }

    @Test
    void namesMayBeOnesOwn() throws IOException {
        assertThat(written(Set.of("Kunden-PIN"), "{\"kunden_pin\":\"1\",\"token\":\"t\"}"))
                .isEqualTo("{\"kunden_pin\":{\"sha256\":\"" + Sha256.hex("1") + "\"},\"token\":\"t\"}");
    }
}
