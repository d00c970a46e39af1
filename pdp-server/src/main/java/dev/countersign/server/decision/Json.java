package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Writes JSON members that several answers and records share. */
final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {}

    /** A growing buffer whose bytes can be read in place. */
    static final class Bytes extends ByteArrayOutputStream {
        Bytes() {
            super(2_048);
        }

        byte[] array() {
            return buf;
        }
    }

    static JsonGenerator generator(ByteArrayOutputStream out) throws IOException {
        return FACTORY.createGenerator(out, JsonEncoding.UTF8);
    }

    static void strings(JsonGenerator out, String name, Collection<String> values) throws IOException {
        out.writeArrayFieldStart(name);
        for (String value : values) {
            out.writeString(value);
        }
        out.writeEndArray();
    }

    /** The ids of rules, if there are any. */
    static void rules(JsonGenerator out, String name, List<Rule> rules) throws IOException {
        if (!rules.isEmpty()) {
            out.writeArrayFieldStart(name);
            for (Rule rule : rules) {
                out.writeString(rule.id());
            }
            out.writeEndArray();
        }
    }

    /** The obligations of an allow as the AuthZEN obligations profile shapes them. */
    static void obligations(JsonGenerator out, List<Effect> effects) throws IOException {
        out.writeArrayFieldStart("obligations");
        for (int i = 0; i < effects.size(); i++) {
            Effect effect = effects.get(i);
            out.writeStartObject();
            out.writeStringField("id", "o" + (i + 1));
            out.writeStringField("type", Decided.type(effect));
            out.writeObjectFieldStart("properties");
            properties(out, effect);
            out.writeEndObject();
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void properties(JsonGenerator out, Effect effect) throws IOException {
        if (effect instanceof Effect.Limit limit) {
            out.writeStringField("name", "limit");
            out.writeStringField("limit", limit.name());
            number(out, "max", limit.max());
            out.writeStringField("per", limit.per());
        } else if (effect instanceof Effect.Transform transform) {
            out.writeStringField("name", "transform");
            out.writeStringField("member", transform.name());
            out.writeStringField("value", transform.value());
        } else if (effect instanceof Effect.Oblige oblige) {
            if (!Decided.OBLIGATIONS.contains(oblige.type())) {
                out.writeStringField("name", oblige.type());
            }
            for (Map.Entry<String, Object> property : oblige.properties().entrySet()) {
                if (property.getValue() instanceof Double value) {
                    number(out, property.getKey(), value);
                } else if (property.getValue() instanceof Boolean value) {
                    out.writeBooleanField(property.getKey(), value);
                } else {
                    out.writeStringField(property.getKey(), property.getValue().toString());
                }
            }
        }
    }

    private static void number(JsonGenerator out, String name, double value) throws IOException {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            out.writeNumberField(name, (long) value);
        } else {
            out.writeNumberField(name, value);
        }
    }
}
