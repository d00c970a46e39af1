package dev.countersign.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Small packs and requests for tests, written as an author writes them. */
public final class Packs {
    /** The instant at which test requests are made. */
    public static final Instant NOW = Instant.parse("2026-03-02T09:00:00Z");

    private static final ObjectMapper YAML = new YAMLMapper();

    private Packs() {}

    /** The names that the rules of {@link #pack} may use beside the built-in ones. */
    public static final String MANIFEST = """
            name: test
            version: 1.0.0
            attributes:
              region: {type: text, from: context.region}
              other: {type: text, from: context.other}
              score: {type: number, from: context.score}
              vip: {type: bool, from: context.vip}
              opened: {type: time, from: context.opened}
              tags: {type: list, from: context.tags}
              payment.type: {type: text, from: arguments.payment.type}
              certificates: {type: list, from: "resource.properties.payment_methods[*].payment_id"}
            params:
              ceiling: {type: number, default: 100}
              home: {type: text, default: eu}
            lists:
              blocked: {default: [rm, "drop.*"]}
            approvals:
              default:
                stages: [{quorum: 1, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 15m
            """;

    /** What the gate makes of a file with these rules, and what it says. */
    public record Read(Pack pack, Diagnostics diagnostics) {}

    /** Reads rules without their package line. */
    public static Read read(String rules) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read("", Map.of("pack.yaml", MANIFEST, "rules.drl", "package test\n" + rules));
        return new Read(pack, diagnostics);
    }

    /** A pack of rules that must be right. */
    public static Pack pack(String rules) {
        Read read = read(rules);
        assertThat(read.diagnostics().all().stream()
                        .filter(diagnostic -> !diagnostic.code().warning()))
                .isEmpty();
        return read.pack();
    }

    /** One rule {@code r} with this condition and consequence. */
    public static String rule(String condition, String consequence) {
        return "rule \"r\" when Request( " + condition + " ) then " + consequence + " end\n";
    }

    /** A base of one pack. */
    public static RuleBase base(String rules) {
        return RuleBase.of(List.of(pack(rules)));
    }

    /** A call for which the store knows the same of its subject and resource as the caller sends. */
    public static Call stored(Call call) {
        return call.with(new Stored(
                entity(call.subjectType(), call.subjectId(), call.subject()),
                entity(call.resourceType(), call.resourceId(), call.resource()),
                Map.of()));
    }

    private static Found entity(String type, String id, JsonNode part) {
        JsonNode properties = part.get("properties");
        return properties == null || !properties.isObject()
                ? Found.Nothing.UNKNOWN
                : new Found.Entity(new EntityKey(type, id), properties, 1, null);
    }

    /** A request whose parts are given in YAML, and otherwise say that agent a-1 runs tool t-1. */
    public static Request request(RuleBase base, String yaml) {
        try {
            JsonNode given = yaml.isBlank() ? YAML.createObjectNode() : YAML.readTree(yaml);
            Call call = Call.of(
                    given.has("subject") ? given.get("subject") : YAML.readTree("{type: agent, id: a-1}"),
                    given.has("action") ? given.get("action") : YAML.readTree("{name: run}"),
                    given.has("resource") ? given.get("resource") : YAML.readTree("{type: tool, id: t-1}"),
                    given.get("context"));
            return new Request("demo", stored(call), NOW, base.values(Map.of(), Map.of()));
        } catch (BadCall | com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(yaml, e);
        }
    }
}
