package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** What tests do that publish packs over HTTP: a pack that denies payments above a limit. */
final class Publishing {
    static final String PACKS = "/api/v1/rule-packs";
    static final String PROPOSALS = "/api/v1/proposals";

    private Publishing() {}

    static String path(String name) {
        return PACKS + "/" + name;
    }

    static String manifest(String name) {
        return """
                name: %s
                version: 1.0.0
                attributes:
                  sum: {type: number, from: resource.properties.sum}
                tests: {rules: 0, conditions: 0, needed: 0}
                """.formatted(name);
    }

    static String rules(String name, int limit) {
        return """
                package %s

                rule "too much"
                when
                  Request( action == "pay", sum != null, sum > %d )
                then
                  decision.deny("TOO_MUCH_%d");
                end
                """.formatted(name.replace('-', '_'), limit, limit);
    }

    static String scenario(int sum, String decision) {
        return """
                suite: payments
                clock: 2026-03-02T09:00:00Z
                cases:
                  - name: a payment
                    given:
                      subject: {type: agent, id: a}
                      action: {name: pay}
                      resource: {type: account, id: x, properties: {sum: %d}}
                    expect: {decision: %s}
                """.formatted(sum, decision);
    }

    static ObjectNode upload(String name, String rules, String scenario) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("files")
                .put("pack.yaml", manifest(name))
                .put("rules.drl", rules)
                .put("scenarios/payments.yaml", scenario);
        return body;
    }

    static ObjectNode upload(String name, int limit) {
        return upload(name, rules(name, limit), scenario(limit + 1, "deny"));
    }

    static Reply publish(RunningServer at, String secret, String name, int limit) {
        return at.post(path(name) + "/versions", secret, upload(name, limit).toString());
    }

    static Reply activate(RunningServer at, String secret, String name, String body) {
        return at.post(path(name) + "/activate", secret, body);
    }

    static Reply confirm(RunningServer at, String secret, Reply proposed) {
        assertThat(proposed.status()).as(proposed.body()).isEqualTo(202);
        Reply confirmed = at.post(proposed.header("Location") + "/confirm", secret, "{}");
        assertThat(confirmed.status()).as(confirmed.body()).isEqualTo(200);
        return confirmed;
    }

    static JsonNode pay(RunningServer at, String secret, int sum) {
        Reply reply = at.post("/access/v1/evaluation", secret, """
                {"subject": {"type": "agent", "id": "a"}, "action": {"name": "pay"}, "context": {"confidence": 0.99},
                 "resource": {"type": "account", "id": "x", "properties": {"sum": %d}}}""".formatted(sum));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    static boolean allows(RunningServer at, String secret, int sum) {
        return Reply.decision(pay(at, secret, sum));
    }
}
