package dev.countersign.server.cli;

import dev.countersign.rules.pack.Pack;
import dev.countersign.server.Server;
import dev.countersign.server.config.ServerConfig;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "serve",
        description = "Run the policy decision point.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Environment: DATABASE_URL (a PostgreSQL of your own), PUBLIC_URL (https), TLS_CERT and TLS_KEY (PEM files:",
            "HTTPS only), COUNTERSIGN_HOST, COUNTERSIGN_DURABILITY (process|disk), COUNTERSIGN_MAX_STALENESS and",
            "COUNTERSIGN_CHECKPOINT_INTERVAL (seconds), and what packs name."
        })
final class ServeCommand implements Callable<Integer> {
    @Option(names = "--port", defaultValue = "8080", description = "The port; 0 for any (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--data",
            defaultValue = ".countersign",
            description = "Where data is kept (default: ${DEFAULT-VALUE}).")
    private Path data = Path.of(".countersign");

    @Option(
            names = "--log-dir",
            description = "Where the decision log is written (default: log in the data directory).")
    private @Nullable Path logDir;

    @Option(
            names = "--packs",
            description =
                    "A pack or a folder of packs, instead of rules/packs/base; repeatable. Changes of the files are"
                            + " checked and go live while it runs.")
    private List<Path> packs = List.of();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = java.util.Objects.requireNonNull(spec).commandLine().getErr();
        List<Path> places = packs.isEmpty() ? List.of(Path.of("rules/packs/base")) : packs;
        var config = ServerConfig.of(port, data, logDir, places, System.getenv());
        List<Pack> read = PackOptions.read(places, err);
        if (read == null) {
            err.println("countersign: the rules have errors, so nothing is served");
            return Exit.USAGE;
        }
        var stopped = new CountDownLatch(1);
        var stop = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.countDown();
            try {
                stopped.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try (Server server = Server.start(config, read)) {
            keys(server, out);
            long millis = System.currentTimeMillis()
                    - ManagementFactory.getRuntimeMXBean().getStartTime();
            out.println("ready " + config.localUrl(server.port()) + " in " + millis + " ms");
            out.flush();
            stop.await();
        } finally {
            stopped.countDown();
        }
        return Exit.OK;
    }

    private void keys(Server server, PrintWriter out) {
        if (server.demoKeys().isEmpty()) {
            return;
        }
        out.println("made the tenant `demo` and these keys; they are shown once and kept in "
                + data.resolve("keys.json") + ":");
        server.demoKeys()
                .forEach(key -> out.println(String.format(
                        java.util.Locale.ROOT,
                        "  %-10s %s",
                        key.name(),
                        key.key().secret())));
    }
}
