package dev.countersign.server.policy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.server.actions.ActionClass;
import dev.countersign.server.decision.TenantPolicy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rules that read the class of an action. Until the action is registered they go by what callers say; an entry overrules
 * them, and may let the calls of an honest caller off a rule that restricts the class that they said.
 */
final class ClassRules {
    /** Where a call says its class: of what is no tool, the properties of the action are its arguments. */
    private static final Set<String> PATHS = Set.of("action.properties.class", "arguments.class");

    private final List<CompiledRule> rules;
    private final Conditions conditions;
    private final Request silent;
    private final Map<ActionClass, Request> saying = new EnumMap<>(ActionClass.class);

    ClassRules(TenantPolicy policy) {
        this.rules = Stream.concat(
                        policy.base().rules().stream(),
                        policy.tables().stream().flatMap(table -> table.rules().stream()))
                .toList();
        this.conditions = new Conditions(policy.values().layout());
        this.silent = request(policy, null);
        for (ActionClass each : ActionClass.values()) {
            saying.put(each, request(policy, each));
        }
    }

    private static Request request(TenantPolicy policy, @Nullable ActionClass said) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("subject").put("type", "any").put("id", "any");
        body.putObject("resource").put("type", "any").put("id", "any");
        ObjectNode action = body.putObject("action").put("name", "any");
        if (said != null) {
            action.putObject("properties").put("class", said.word());
        }
        try {
            return new Request("any", Call.of(body), Instant.EPOCH, policy.values());
        } catch (BadCall e) {
            throw new IllegalStateException("this is a call", e);
        }
    }

    /** Why calls of an action that is {@code registered} first could be let through that were not, or {@code null}. */
    @Nullable
    String letOffBy(ActionClass registered) {
        for (CompiledRule rule : rules) {
            if (letOff(rule.rule(), registered)) {
                return "the rule `" + rule.rule().id()
                        + "` reads the class, and callers that said another, or none, are overruled";
            }
        }
        return null;
    }

    private boolean letOff(Rule rule, ActionClass registered) {
        var own = new ArrayList<Condition>();
        boolean mixed = false;
        for (Expr condition : rule.conditions()) {
            var read = new ArrayList<Attribute>();
            condition.attributes(read::add);
            if (read.stream().anyMatch(ClassRules::readsClass)) {
                if (read.stream().allMatch(ClassRules::readsClass)) {
                    own.add(conditions.of(condition));
                } else {
                    mixed = true; // what it says depends on more than the class
                }
            }
        }
        int now = said(own, saying.getOrDefault(registered, silent));
        boolean more = mixed;
        boolean lifts = rule.effects().stream()
                .anyMatch(effect -> effect instanceof Effect.Allow || effect instanceof Effect.RequireApproval);
        return Stream.concat(saying.values().stream(), Stream.of(silent))
                .mapToInt(request -> said(own, request))
                .anyMatch(before -> more && Math.max(now, before) != Condition.FALSE
                        || rule.restricting() && now < before
                        || lifts && now > before);
    }

    private static int said(List<Condition> conditions, Request request) {
        return conditions.stream()
                .mapToInt(condition -> condition.test(request))
                .min()
                .orElse(Condition.TRUE);
    }

    private static boolean readsClass(Attribute attribute) {
        return attribute.source() != null && PATHS.contains(attribute.source().text());
    }
}
