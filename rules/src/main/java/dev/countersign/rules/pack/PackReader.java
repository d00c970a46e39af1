package dev.countersign.rules.pack;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.dialect.Gate;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.entities.EntityFiles;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads packs from folders: a pack is a folder with {@code pack.yaml} and {@code *.drl} files beside it. */
public final class PackReader {
    /** The manifest's file name. */
    public static final String MANIFEST = "pack.yaml";

    private static final int MAX_DEPTH = 6;

    private final Diagnostics diagnostics;

    /** A reader that reports mistakes to {@code diagnostics}. */
    public PackReader(Diagnostics diagnostics) {
        this.diagnostics = diagnostics;
    }

    /**
     * The packs at these places, each a pack or a folder of packs, sorted by name. Mistakes are reported; what is
     * returned is complete only if there are none.
     *
     * @throws UncheckedIOException if a file cannot be read
     */
    public List<Pack> read(List<Path> places) {
        var folders = new ArrayList<Path>();
        for (Path place : places) {
            List<Path> found = folders(place);
            if (found.isEmpty()) {
                error(place.toString(), "there is no pack here: no " + MANIFEST + ", and no folder with one");
            }
            refuseStrays(place, found);
            folders.addAll(found);
        }
        var packs = new ArrayList<Pack>();
        var names = new HashSet<String>();
        var declared = new HashMap<String, Declaration>();
        for (Path folder : folders) {
            Pack pack = readPack(folder);
            if (pack != null && !names.add(pack.name())) {
                error(folder.resolve(MANIFEST).toString(), "there is another pack with the name `" + pack.name() + "`");
            } else if (pack != null) {
                refuseConflicts(folder, pack, declared);
                for (Pack other : packs) {
                    pack.entities()
                            .conflicts(other.entities())
                            .forEach(conflict -> error(folder.resolve(MANIFEST).toString(), conflict));
                }
                packs.add(pack);
            }
        }
        packs.sort(java.util.Comparator.comparing(Pack::name));
        return List.copyOf(packs);
    }

    /** Packs may share a name that tenants set, but then it has to be of one type. */
    private void refuseConflicts(Path folder, Pack pack, Map<String, Declaration> declared) {
        for (Setting setting : Setting.of(List.of(pack.vocabulary())).values()) {
            Declaration here = setting.declarations().get(0);
            Declaration first = declared.putIfAbsent(setting.name(), here);
            String conflict = first == null ? null : Setting.conflict(first, here);
            if (conflict != null) {
                error(folder.resolve(MANIFEST).toString(), conflict);
            }
        }
    }

    /** The folders of the packs at a place: the place itself, or those in it by name; empty if there is none. */
    public static List<Path> folders(Path place) {
        if (Files.isRegularFile(place.resolve(MANIFEST))) {
            return List.of(place);
        }
        if (!Files.isDirectory(place)) {
            return List.of();
        }
        try (var entries = Files.list(place)) {
            return entries.filter(entry -> Files.isRegularFile(entry.resolve(MANIFEST)))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A rule that an author wrote and nobody reads would be a deny that never comes. */
    private void refuseStrays(Path place, List<Path> packs) {
        if (!Files.isDirectory(place)) {
            return;
        }
        try (var files = Files.walk(place, MAX_DEPTH)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                String lower = name.toLowerCase(Locale.ROOT);
                boolean meant = lower.endsWith(".drl") || lower.equals(MANIFEST) || lower.equals("pack.yml");
                boolean read = packs.contains(file.getParent()) && (name.equals(MANIFEST) || name.endsWith(".drl"));
                if (meant && !read) {
                    error(
                            file.toString(),
                            "this file is read by no pack: rules stand in *.drl files beside a " + MANIFEST);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private @Nullable Pack readPack(Path folder) {
        var texts = new TreeMap<String, String>();
        try (var entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                String name = entry.getFileName().toString();
                if (name.equals(MANIFEST) || name.endsWith(".drl")) {
                    String text = decode(entry);
                    if (text != null) {
                        texts.put(name, text);
                    }
                }
            }
            readEntities(folder, texts);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return read(folder.toString(), texts);
    }

    private void readEntities(Path folder, Map<String, String> texts) throws IOException {
        Path entities = folder.resolve(EntityFiles.FOLDER);
        if (!Files.isDirectory(entities)) {
            return;
        }
        try (var entries = Files.list(entities)) {
            for (Path entry : entries.sorted().toList()) {
                String name = EntityFiles.FOLDER + "/" + entry.getFileName();
                String lower = name.toLowerCase(Locale.ROOT);
                if (lower.endsWith(".json") || lower.endsWith(".ndjson") || lower.endsWith(".jsonlines")) {
                    error(entry.toString(), "this file is read by no pack: entities stand in *.jsonl files");
                } else if (EntityFiles.isOne(name) && Files.size(entry) > EntityFiles.MAX_BYTES) {
                    error(entry.toString(), "a file of entities has at most " + EntityFiles.MAX_BYTES + " bytes");
                } else if (EntityFiles.isOne(name)) {
                    String text = decode(entry);
                    if (text != null) {
                        texts.put(name, text);
                    }
                }
            }
        }
    }

    /**
     * The pack that these files make, or {@code null} if its manifest cannot be read.
     *
     * @param place what diagnostics put before a file's name
     * @param texts the files' texts by name
     */
    public @Nullable Pack read(String place, Map<String, String> texts) {
        String manifest = texts.get(MANIFEST);
        String prefix = place.isEmpty() ? "" : place + "/";
        if (manifest == null) {
            error(prefix + MANIFEST, "the manifest is missing");
            return null;
        }
        Pack pack = new ManifestReader(prefix + MANIFEST, manifest, diagnostics).read(digest(texts));
        if (pack == null) {
            return null;
        }
        var gate = new Gate(pack.vocabulary(), diagnostics);
        var rules = new ArrayList<Rule>();
        new TreeMap<>(texts).forEach((name, text) -> {
            if (name.endsWith(".drl")) {
                rules.addAll(gate.read(prefix + name, text));
            }
        });
        var entities = new EntityFiles(pack.name(), diagnostics);
        new TreeMap<>(texts).forEach((name, text) -> {
            if (EntityFiles.isOne(name)) {
                entities.read(prefix + name, text);
            }
        });
        if (texts.keySet().stream().noneMatch(name -> name.endsWith(".drl"))) {
            error(prefix + MANIFEST, "the pack has no .drl file");
        }
        return new Pack(
                pack.name(),
                pack.version(),
                pack.description(),
                pack.digest(),
                pack.vocabulary(),
                pack.templates(),
                List.copyOf(rules),
                pack.bar(),
                entities.entities());
    }

    private @Nullable String decode(Path file) throws IOException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            diagnostics.add(new Diagnostic(file.toString(), 1, 1, Code.S002, "the file is not UTF-8", null, null));
            return null;
        }
    }

    private static String digest(Map<String, String> texts) {
        MessageDigest digest = Sha256.newDigest();
        new TreeMap<>(texts).forEach((name, text) -> {
            digest.update((name + "\n" + text.length() + "\n").getBytes(StandardCharsets.UTF_8));
            digest.update(text.getBytes(StandardCharsets.UTF_8));
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    private void error(String file, String message) {
        diagnostics.add(new Diagnostic(file, 1, 1, Code.Y001, message, null, null));
    }
}
