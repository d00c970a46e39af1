package dev.countersign.rules.explain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Precedence;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Unavailable;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How a value that a test looked at is written for people. */
final class SeenValue {
    private static final int LONGEST = 200;

    private SeenValue() {}

    static String of(Attribute attribute, Request request) {
        Object value = request.value(attribute, request.values().layout().slot(attribute));
        return value == Unavailable.VALUE ? "unavailable (" + cause(attribute, request) + ")" : text(value);
    }

    static String text(@Nullable Object value) {
        if (value == null) {
            return "absent";
        }
        String text = json(value);
        if (text.length() <= LONGEST) {
            return text;
        }
        int cut = Character.isHighSurrogate(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST;
        return text.substring(0, cut) + "...";
    }

    private static String json(@Nullable Object value) {
        if (value == null) {
            return "(no text)";
        }
        if (value instanceof Double number) {
            return Canonical.number(number);
        }
        if (value instanceof List<?> elements) {
            return elements.stream().limit(LONGEST).map(SeenValue::json).collect(Collectors.joining(", ", "[", "]"));
        }
        return value instanceof Boolean
                ? value.toString()
                : TextNode.valueOf(value.toString()).toString();
    }

    private static String cause(Attribute attribute, Request request) {
        SourcePath source = attribute.source();
        Object raw = attribute.raw(request.call());
        if (!(raw instanceof JsonNode node)) {
            return source == null || attribute.saidBy(request.call()) == Precedence.STORE
                    ? "its source failed or has no object on its path"
                    : "something on its path " + source.text() + " is no object";
        }
        String is = switch (node.getNodeType()) {
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> "a bool";
            case ARRAY -> "a list";
            default -> "an object";
        };
        if (node.isNumber() && attribute.type() == Type.NUMBER) {
            return "is a number beyond the range of numbers";
        }
        return "is " + is
                + (attribute.type() == Type.TIME
                        ? ", needs a time such as 2026-03-02T09:00:00Z"
                        : ", needs a " + attribute.type().word());
    }
}
