package dev.countersign.bench;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The texts of the packs that are measured: 31 rules of every kind, and any number of rules that name a tenant first. */
final class BenchPack {
    /** The rules that each tenant has of its own. */
    static final int PER_TENANT = 10;

    private static final List<String> FILES = List.of(
            "pack.yaml",
            "lists.drl",
            "confidence.drl",
            "amounts.drl",
            "egress.drl",
            "mode.drl",
            "sql.drl",
            "resources.drl",
            "roles.drl");
    private static final int RULES_A_FILE = 500;
    private static final int RULES_A_PACK = 5_000;

    private BenchPack() {}

    /** The texts of all packs by pack and file name: the 31 rules, and {@code tenantRules} more. */
    static Map<String, Map<String, String>> texts(int tenantRules) {
        var packs = new LinkedHashMap<String, Map<String, String>>();
        var shared = new LinkedHashMap<String, String>();
        FILES.forEach(file -> shared.put(file, resource(file)));
        packs.put("bench", shared);
        for (int first = 0; first < tenantRules; first += RULES_A_PACK) {
            String name = "tenants-" + first / RULES_A_PACK;
            packs.put(name, tenants(name, first, Math.min(tenantRules, first + RULES_A_PACK)));
        }
        return packs;
    }

    private static Map<String, String> tenants(String pack, int first, int end) {
        var files = new LinkedHashMap<String, String>();
        files.put("pack.yaml", "name: " + pack + "\nversion: 1.0.0\ndescription: Rules of tenants.\n");
        for (int from = first; from < end; from += RULES_A_FILE) {
            var text = new StringBuilder("package " + pack.replace('-', '_') + "\n");
            for (int i = from; i < Math.min(end, from + RULES_A_FILE); i++) {
                rule(text, i, "t" + i / PER_TENANT, 1_000_000 + i, "TENANT");
            }
            files.put("rules-" + from + ".drl", text.toString());
        }
        return files;
    }

    /** Appends the rule that denies one action of a tenant above a limit. */
    static void rule(StringBuilder text, int number, String tenant, int limit, String reason) {
        text.append("\nrule \"rule ")
                .append(number)
                .append("\"\nwhen\n  Request( tenant == \"")
                .append(tenant);
        text.append("\",\n    action == \"").append(Workload.action(number));
        text.append("\",\n    amount > ")
                .append(limit)
                .append(" )\nthen\n  decision.deny(\"")
                .append(reason);
        text.append("\");\nend\n");
    }

    /** Passes texts through the gate. */
    static List<Pack> read(Map<String, Map<String, String>> texts) {
        var diagnostics = new Diagnostics();
        var packs = new ArrayList<Pack>();
        texts.forEach((name, files) -> packs.add(new PackReader(diagnostics).read(name, files)));
        if (!diagnostics.all().isEmpty()) {
            throw new IllegalStateException("the measured rules have mistakes: " + diagnostics.all());
        }
        return packs;
    }

    /** Writes packs as folders below {@code root}, as a server reads them. */
    static Path write(Path root, int tenantRules) throws IOException {
        for (var pack : texts(tenantRules).entrySet()) {
            Path folder = Files.createDirectories(root.resolve(pack.getKey()));
            for (var file : pack.getValue().entrySet()) {
                Files.writeString(folder.resolve(file.getKey()), file.getValue());
            }
        }
        return root;
    }

    private static String resource(String file) {
        try (InputStream in = BenchPack.class.getResourceAsStream("pack/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the build left out " + file);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
