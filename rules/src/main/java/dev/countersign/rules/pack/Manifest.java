package dev.countersign.rules.pack;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code pack.yaml} as it is written; unknown members are refused. */
record Manifest(
        @Nullable String name,
        @Nullable String version,
        @Nullable String description,
        @Nullable Map<String, Ent> entities,
        @Nullable Map<String, Attr> attributes,
        @Nullable Map<String, Par> params,
        @Nullable Map<String, Lst> lists,
        @Nullable Map<String, Approval> approvals,
        @Nullable Tests tests) {
    record Ent(
            @Nullable String type,
            @Nullable String id,
            @Nullable String description) {}

    record Attr(
            @Nullable String type,
            @Nullable String from,
            @Nullable String precedence,
            @Nullable String description) {}

    record Par(
            @Nullable String type,
            @JsonProperty("default") @Nullable JsonNode value,
            @Nullable String env,
            @Nullable String description) {}

    record Lst(
            @JsonProperty("default") @Nullable List<String> entries,
            @Nullable String env,
            @Nullable String description) {}

    record Approval(
            @Nullable List<Stage> stages,
            @JsonProperty("decide_within") @Nullable String decideWithin,
            @JsonProperty("use_within") @Nullable String useWithin,
            @JsonProperty("break_glass") @Nullable Boolean breakGlass) {}

    record Stage(
            @Nullable String name,
            @Nullable Integer quorum,
            @Nullable List<String> roles,
            @Nullable Escalation escalate) {}

    record Escalation(@Nullable String after, @Nullable List<String> to) {}

    record Tests(
            @Nullable Integer rules,
            @Nullable Integer conditions,
            @Nullable Integer needed,
            @Nullable Integer mutants) {}
}
