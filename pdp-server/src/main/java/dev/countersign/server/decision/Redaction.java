package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Writes JSON for the record with credentials taken out: the value of a member whose name says that it is one becomes
 * {@code {"sha256": "<hex>"}}, of the text itself if it is a string, else of its JSON.
 */
public final class Redaction {
    /**
     * The ends of member names that hold credentials by default, whatever stands before them. Case, {@code _} and
     * {@code -} do not count, nor does a final s.
     */
    public static final Set<String> DEFAULT = Set.of(
            "password",
            "passwd",
            "passphrase",
            "secret",
            "token",
            "bearer",
            "authorization",
            "apikey",
            "privatekey",
            "accesskey",
            "secretkey",
            "credential",
            "cookie",
            "cvv",
            "cvc",
            "pin");

    /** The one of a tenant that names nothing more. */
    static final Redaction USUAL = new Redaction(DEFAULT);

    /** Names are few and come again; a caller that makes up new ones only costs itself the look. */
    private static final int MAX_KNOWN = 10_000;

    private final Set<String> ends;
    private final Map<String, Boolean> known = new ConcurrentHashMap<>();

    /** A redaction of members whose names end in one of these. */
    public Redaction(Set<String> ends) {
        this.ends = ends.stream().map(Redaction::normal).collect(Collectors.toUnmodifiableSet());
    }

    /** The usual one, and these names in the same way. */
    static Redaction also(Collection<String> names) {
        var all = new HashSet<>(DEFAULT);
        all.addAll(names);
        return new Redaction(all);
    }

    /** Writes a value, credentials in it replaced. */
    public void write(JsonGenerator out, JsonNode value) throws IOException {
        if (value.isObject()) {
            out.writeStartObject();
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                out.writeFieldName(member.getKey());
                if (secret(member.getKey(), member.getValue())) {
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

    /** A value as JSON text, credentials in it replaced. */
    public String text(JsonNode value) {
        var out = new Json.Bytes();
        try (JsonGenerator json = Json.generator(out)) {
            write(json, value);
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail", e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /** Whether a value holds no credentials, so that writing it would change nothing of what it says. */
    public boolean clean(JsonNode value) {
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                if (secret(member.getKey(), member.getValue()) || !clean(member.getValue())) {
                    return false;
                }
            }
        } else if (value.isArray()) {
            for (JsonNode element : value) {
                if (!clean(element)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** A number is a credential only where the name says nothing else: {@code max_tokens} is a limit. */
    private boolean secret(String name, JsonNode value) {
        return secret(name) && !value.isNull() && (!value.isNumber() || ends.contains(normal(name)));
    }

    private boolean secret(String name) {
        Boolean seen = known.get(name);
        if (seen == null) {
            String normal = normal(name);
            // A short word such as pin ends many a harmless name, so it must be the whole of it.
            seen = ends.stream().anyMatch(end -> end.length() > 3 ? normal.endsWith(end) : normal.equals(end));
            if (known.size() < MAX_KNOWN) {
                known.put(name, seen);
            }
        }
        return seen;
    }

    private static String normal(String name) {
        String bare = name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
        return bare.endsWith("s") ? bare.substring(0, bare.length() - 1) : bare;
    }
}
