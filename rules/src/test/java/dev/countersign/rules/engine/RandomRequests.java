package dev.countersign.rules.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.pack.Pack;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;

/** Requests at random, of the values that rules mention, their neighbours, others, wrong types and holes. */
final class RandomRequests {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final RuleBase base;
    private final Random random;
    private final Set<Attribute> attributes = new LinkedHashSet<>();
    private final Map<Attribute, List<String>> near = new java.util.HashMap<>();
    private final List<String> texts = new ArrayList<>(List.of("", "other", "demo", "10.1.2.3", "::1"));
    private final List<Double> numbers = new ArrayList<>(List.of(0.0, -0.0, 1.0, 1e18));
    private final List<String> times = new ArrayList<>(List.of(Packs.NOW.toString(), "2026-03-02T10:00:00+01:00"));

    RandomRequests(RuleBase base, Random random) {
        this.base = base;
        this.random = random;
        for (Pack pack : base.packs()) {
            attributes.addAll(pack.vocabulary().attributes().values());
            pack.vocabulary().params().values().forEach(param -> literal(param.value()));
            pack.vocabulary().lists().values().forEach(list -> list.entries().forEach(this::pattern));
        }
        base.rules().forEach(rule -> rule.rule().conditions().forEach(condition -> condition.tests(this::test)));
    }

    private void test(Expr.Test test) {
        int before = texts.size();
        if (test instanceof Expr.Compare compare) {
            operand(compare.left());
            operand(compare.right());
        } else if (test instanceof Expr.In in) {
            in.values().forEach(this::operand);
        } else if (test instanceof Expr.Contains contains) {
            operand(contains.text());
        } else if (test instanceof Expr.Affix affix) {
            texts.addAll(List.of(affix.text(), affix.text() + "x", "x" + affix.text()));
        } else if (test instanceof Expr.Matches matches) {
            String regex = matches.regex().pattern().pattern();
            texts.addAll(Arrays.asList(regex.replaceAll("\\(\\?[a-z]+\\)", "")
                    .replaceAll("[\\\\^$]", "")
                    .split("[|()]")));
            texts.add(regex.replaceAll("\\[.*?]|\\.[*+]|\\\\[dw]", "1").replaceAll("[\\\\^$+*?()]", ""));
        } else if (test instanceof Expr.MatchesGlob glob) {
            pattern(glob.pattern());
        } else if (test instanceof Expr.InCidr cidr) {
            texts.add(cidr.text().substring(0, cidr.text().indexOf('/')));
        }
        List<String> own = List.copyOf(texts.subList(before, texts.size()));
        test.attributes(attribute ->
                near.computeIfAbsent(attribute, key -> new ArrayList<>()).addAll(own));
    }

    private void operand(Operand operand) {
        if (operand instanceof Operand.Literal literal) {
            literal(literal.value());
        } else if (operand instanceof Operand.Count count && count.pattern() != null) {
            pattern(count.pattern());
        }
    }

    private void pattern(String pattern) {
        texts.add(pattern.replace("*", ""));
        texts.add(pattern.replace("*", "a"));
    }

    private void literal(Object value) {
        if (value instanceof String text) {
            texts.add(text);
        } else if (value instanceof Double number) {
            numbers.addAll(List.of(number, number - 1, number + 1, number + 0.5));
            if (Math.abs(number) < 1e6) {
                Instant then = Packs.NOW.minusMillis((long) (number * 3_600_000));
                times.addAll(List.of(
                        then.toString(),
                        then.minusSeconds(1).toString(),
                        then.plusSeconds(1).toString()));
            }
        } else if (value instanceof Instant time) {
            times.addAll(List.of(
                    time.toString(),
                    time.minusSeconds(1).toString(),
                    time.plusSeconds(1).toString()));
        }
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private String text(Attribute attribute) {
        List<String> own = near.getOrDefault(attribute, List.of());
        return own.isEmpty() || random.nextInt(4) == 0 ? one(texts) : one(own);
    }

    /** The next request; every second one has holes and wrong types. */
    Request next() throws BadCall {
        boolean holes = random.nextBoolean();
        var parts = JSON.objectNode();
        parts.putObject("subject");
        parts.putObject("action");
        parts.putObject("resource");
        parts.putObject("context");
        for (String required : List.of("subject.type", "subject.id", "action.name", "resource.type", "resource.id")) {
            attributes.stream()
                    .filter(attribute -> attribute.source() != null
                            && attribute.source().text().equals(required))
                    .findFirst()
                    .ifPresent(attribute -> put(parts, List.of(required.split("\\.")), JSON.textNode(text(attribute))));
        }
        if (random.nextInt(3) > 0) {
            ((ObjectNode) parts.get("resource")).put("type", "tool");
        }
        for (Attribute attribute : attributes) {
            boolean hole = random.nextInt(holes ? 4 : 25) == 0;
            if (attribute.source() != null && !attribute.required() && !hole) {
                place(parts, attribute, random.nextInt(holes ? 6 : 25) == 0);
            }
        }
        boolean noContext = holes && random.nextInt(10) == 0;
        Call call = Call.of(
                parts.get("subject"),
                parts.get("action"),
                parts.get("resource"),
                noContext ? null : parts.get("context"));
        return new Request(
                one(List.of("demo", "other")),
                call.with(stored(call, parts.path("entities"))),
                Packs.NOW,
                base.values(Map.of(), Map.of()));
    }

    /** What a store says that knows what the caller says, and of references what was made up for them. */
    private Stored stored(Call call, JsonNode entities) {
        Stored said = Objects.requireNonNull(Packs.stored(call).stored());
        var references = new HashMap<Reference, Found>();
        base.needs().references().forEach(reference -> {
            JsonNode properties = entities.path(reference.name());
            references.put(
                    reference,
                    properties.isObject() && random.nextInt(4) > 0
                            ? new Found.Entity(new EntityKey(reference.type(), "1"), properties, 1, null)
                            : one(List.of(Found.Nothing.UNKNOWN, Found.Nothing.UNAVAILABLE)));
        });
        return new Stored(said.subject(), said.resource(), references);
    }

    private void place(ObjectNode parts, Attribute attribute, boolean wrong) {
        String path = attribute.source().text();
        if (path.startsWith("arguments.")) {
            boolean tool = parts.at("/resource/type").asText().equals("tool");
            path = (tool ? "resource" : "action") + ".properties" + path.substring("arguments".length());
        }
        put(parts, Arrays.asList(path.replace("[*]", ".*").split("\\.")), wrong ? wrong() : value(attribute));
    }

    private JsonNode value(Attribute attribute) {
        return switch (attribute.type()) {
            case TEXT -> JSON.textNode(text(attribute));
            case NUMBER -> JSON.numberNode(one(numbers));
            case BOOL -> JSON.booleanNode(random.nextBoolean());
            case TIME -> JSON.textNode(one(times));
            case LIST -> attribute.source().many() ? JSON.textNode(text(attribute)) : list(attribute);
        };
    }

    private ArrayNode list(Attribute attribute) {
        ArrayNode out = JSON.arrayNode();
        for (int i = random.nextInt(4); i > 0; i--) {
            out.add(random.nextInt(12) == 0 ? wrong() : JSON.textNode(text(attribute)));
        }
        return out;
    }

    private JsonNode wrong() {
        return one(List.<JsonNode>of(
                JSON.nullNode(),
                JSON.numberNode(5),
                JSON.textNode("5"),
                JSON.booleanNode(true),
                JSON.objectNode(),
                JSON.arrayNode().add(5).add("other")));
    }

    /** Puts a value at a path; what stands in the way stays, and is then of the wrong type for it. */
    private void put(JsonNode at, List<String> path, JsonNode value) {
        String step = path.get(0);
        List<String> rest = path.subList(1, path.size());
        if (step.equals("*")) {
            if (at instanceof ArrayNode array) {
                for (int i = array.isEmpty() ? random.nextInt(4) : 0; i > 0; i--) {
                    array.add(rest.isEmpty() ? value : rest.get(0).equals("*") ? JSON.arrayNode() : JSON.objectNode());
                }
                if (!rest.isEmpty()) {
                    array.forEach(element -> {
                        if (random.nextInt(8) > 0) {
                            put(element, rest, value);
                        }
                    });
                }
            }
        } else if (at instanceof ObjectNode object) {
            if (rest.isEmpty()) {
                object.set(step, value);
            } else {
                if (!object.has(step)) {
                    object.set(step, rest.get(0).equals("*") ? JSON.arrayNode() : JSON.objectNode());
                }
                put(object.get(step), rest, value);
            }
        }
    }
}
