package dev.countersign.server.cli;

import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.rules.pack.Pack;
import dev.countersign.server.decision.PolicySnapshot;
import dev.countersign.server.identity.DemoKeys;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "explain",
        description = "Tell why a request is decided as it is, and why not otherwise.",
        mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
    @Option(names = "--packs", required = true, description = "A pack or a folder of packs; repeatable.")
    private List<Path> packs = List.of();

    @Option(names = "--request", required = true, description = "A file with one AuthZEN request.")
    private Path request = Path.of("request.json");

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = Objects.requireNonNull(spec).commandLine().getErr();
        List<Pack> read = PackOptions.read(packs, err);
        if (read == null) {
            return Exit.USAGE;
        }
        var snapshot = PolicySnapshot.of(read, System.getenv());
        try {
            Call call = Call.of(StrictJson.read(Files.readAllBytes(request)));
            var made = new Request(DemoKeys.TENANT, call, Instant.now(), snapshot.values(DemoKeys.TENANT));
            out.print(new Explainer(snapshot.base()).explain(made).toText());
            out.flush();
            return Exit.OK;
        } catch (BadCall e) {
            err.println(request + ": " + e.getMessage());
            return Exit.USAGE;
        }
    }
}
