package dev.countersign.rules.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Conditions at random over the names of {@link dev.countersign.rules.Packs#MANIFEST}, and spoiled ones. */
final class RandomConditions {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> TEXTS =
            List.of("region", "other", "payment.type", "agent", "user", "zone", "tool");
    private static final List<String> NUMBERS = List.of("score", "amount", "confidence");
    private static final List<String> WORDS =
            List.of("", "eu", "a b", "x\"y", "\\d", "é", "/*", "//", "a-1", "true", "null", "1", "); decision");

    private final Random random;

    RandomConditions(Random random) {
        this.random = random;
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /** A condition that must be accepted, with groups at most {@code depth} deep and about two tests a group. */
    ObjectNode next(int depth) {
        int kind = depth == 0 ? 3 : random.nextInt(5);
        if (kind < 2) {
            ObjectNode out = JSON.objectNode();
            ArrayNode parts = out.putArray(kind == 0 ? "all" : "any");
            for (int i = random.nextInt(3); i >= 0; i--) {
                parts.add(next(depth - 1));
            }
            return out;
        }
        return kind == 2 ? JSON.objectNode().set("not", next(depth - 1)) : test();
    }

    private ObjectNode field(String name) {
        return JSON.objectNode().put("field", name);
    }

    private ObjectNode test() {
        ObjectNode text = field(one(TEXTS));
        return switch (random.nextInt(13)) {
            case 0 -> field("vip");
            case 1 ->
                field(one(List.of("region", "score", "vip", "opened", "tags")))
                        .put("op", one(List.of("is null", "not null")));
            case 2 -> {
                ObjectNode number = number();
                number.put("op", comparison());
                number.set(
                        "value",
                        random.nextBoolean() ? literal() : JSON.objectNode().put("param", "ceiling"));
                yield number;
            }
            case 3 -> text.put("op", one(List.of("==", "!="))).put("value", one(WORDS));
            case 4 ->
                field("opened")
                        .put("op", comparison())
                        .put("value", "2026-0" + (1 + random.nextInt(9)) + "-01T00:00:00Z");
            case 5 -> {
                ArrayNode values = text.put("op", one(List.of("in", "not in"))).putArray("value");
                for (int i = random.nextInt(5); i >= 0; i--) {
                    values.add(one(WORDS));
                }
                yield text;
            }
            case 6 ->
                text.put("op", one(List.of("matches", "not matches")))
                        .put("value", one(List.of("e.", "[a-c]+", "(?i)EU|us", "a{2,5}\\d")));
            case 7 ->
                text.put("op", one(List.of("startsWith", "endsWith", "glob"))).put("value", one(WORDS));
            case 8 -> text.put("op", "cidr").put("value", one(List.of("10.0.0.0/8", "::1/128")));
            case 9 ->
                text.put("op", one(List.of("memberOf", "not memberOf")))
                        .set("value", random.nextBoolean() ? JSON.objectNode().put("list", "blocked") : field("tags"));
            case 10 ->
                field("tags")
                        .put("op", one(List.of("contains", "not contains")))
                        .put("value", one(WORDS));
            case 11 -> field("tags").put("op", "contains").set("value", text);
            default -> text.put("op", "==").set("value", JSON.objectNode().put("param", "home"));
        };
    }

    private ObjectNode number() {
        return switch (random.nextInt(4)) {
            case 0 -> JSON.objectNode().put("count", one(List.of("tags", "certificates", "roles")));
            case 1 -> JSON.objectNode().put("count", "tags").put("glob", one(WORDS) + "*");
            case 2 -> JSON.objectNode().put("hoursSince", "opened");
            default -> field(one(NUMBERS));
        };
    }

    private String comparison() {
        return one(List.of("==", "!=", "<", "<=", ">", ">="));
    }

    private JsonNode literal() {
        return switch (random.nextInt(3)) {
            case 0 -> JSON.numberNode(random.nextInt(2_000) - 1_000);
            case 1 -> JSON.numberNode((random.nextInt(2_000_000) - 1_000_000) / 1_000.0);
            default -> JSON.numberNode(random.nextLong() >> 12);
        };
    }

    /** {@code valid} with one thing changed: a member renamed, added, removed, or of another kind. */
    JsonNode spoiled(ObjectNode valid) {
        ObjectNode out = valid.deepCopy();
        var objects = new ArrayList<ObjectNode>();
        objects(out, objects);
        ObjectNode at = one(objects);
        var names = new ArrayList<String>();
        at.fieldNames().forEachRemaining(names::add);
        String name = one(names);
        switch (random.nextInt(5)) {
            case 0 -> at.set(name + "x", at.remove(name));
            case 1 -> at.put(one(List.of("extra", "glob", "all", "value", "op", "list")), "x");
            case 2 -> at.remove(name);
            case 3 ->
                at.set(
                        name,
                        one(List.of(JSON.nullNode(), JSON.booleanNode(true), JSON.arrayNode(), JSON.objectNode())));
            default -> at.set(name, one(List.of(JSON.numberNode(1e20), JSON.textNode("nothing"), field("vip"))));
        }
        return out;
    }

    private static void objects(JsonNode node, List<ObjectNode> out) {
        if (node instanceof ObjectNode object) {
            out.add(object);
        }
        node.forEach(child -> objects(child, out));
    }
}
