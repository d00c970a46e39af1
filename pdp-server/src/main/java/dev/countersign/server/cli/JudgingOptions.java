package dev.countersign.server.cli;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.rules.pack.Pack;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.DemoKeys;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What commands that judge requests without a server have in common: packs, the environment, the demo tenant. */
final class JudgingOptions {
    @Option(names = "--packs", required = true, description = "A pack or a folder of packs; repeatable.")
    private List<Path> packs = List.of();

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    private EntityNeeds needs = EntityNeeds.NONE;
    private PackEntities entities = PackEntities.NONE;

    PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }

    /** The packs with the environment's values, or {@code null} with all mistakes printed. */
    @Nullable
    TenantPolicy policy() {
        List<Pack> read = PackOptions.read(packs, err());
        if (read == null) {
            return null;
        }
        needs = EntityNeeds.ofRules(
                read.stream().flatMap(pack -> pack.rules().stream()).toList());
        entities = PackEntities.union(read.stream().map(Pack::entities).toList());
        return TenantPolicy.of(RuleBase.of(read), System.getenv());
    }

    /** The request that {@code json} makes at {@code now}, with what the packs' own entities say. */
    Request request(byte[] json, TenantPolicy policy, Instant now) throws BadCall {
        Call call = needs.resolve(Call.of(StrictJson.read(json)), entities::find);
        return new Request(DemoKeys.TENANT, call, now, policy.values());
    }
}
