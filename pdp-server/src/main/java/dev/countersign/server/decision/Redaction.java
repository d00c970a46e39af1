package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Writes JSON for the record with credentials taken out: the value of a member whose name says that it is one becomes
 * {@code {"sha256": "<hex>"}}, of the text itself if it is a string, else of its JSON.
 */
public final class Redaction {
    /** The member names, in any case and with {@code -} for {@code _}, that hold credentials by default. */
    public static final Set<String> DEFAULT = Set.of(
            "password",
            "passwd",
            "passphrase",
            "secret",
            "client_secret",
            "token",
            "access_token",
            "refresh_token",
            "id_token",
            "bearer",
            "authorization",
            "api_key",
            "apikey",
            "private_key",
            "credential",
            "credentials",
            "cookie",
            "set_cookie",
            "session_token",
            "cvv",
            "cvc",
            "pin");

    private final Set<String> names;

    /** A redaction of members with these names. */
    public Redaction(Set<String> names) {
        this.names = names.stream().map(Redaction::normal).collect(Collectors.toUnmodifiableSet());
    }

    /** Writes a value, credentials in it replaced. */
    public void write(JsonGenerator out, JsonNode value) throws IOException {
        if (value.isObject()) {
            out.writeStartObject();
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                out.writeFieldName(member.getKey());
                if (secret(member.getKey()) && !member.getValue().isNull()) {
                    String text = member.getValue().isTextual()
                            ? member.getValue().textValue()
                            : member.getValue().toString();
                    out.writeStartObject();
                    out.writeStringField("sha256", Sha256.hex(text));
                    out.writeEndObject();
                } else {
                    write(out, member.getValue());
                }
            }
            out.writeEndObject();
        } else if (value.isArray()) {
            out.writeStartArray();
            for (JsonNode element : value) {
                write(out, element);
            }
            out.writeEndArray();
        } else if (value.isNull()) {
            out.writeNull();
        } else {
            value.serialize(out, null);
        }
    }

    private boolean secret(String name) {
        return names.contains(name) || names.contains(normal(name));
    }

    private static String normal(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '-' || c >= 'A' && c <= 'Z' || c > 127) {
                return name.toLowerCase(Locale.ROOT).replace('-', '_');
            }
        }
        return name;
    }
}
