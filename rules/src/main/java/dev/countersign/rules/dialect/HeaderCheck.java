package dev.countersign.rules.dialect;

import java.util.Collection;
import java.util.List;
import org.drools.drl.ast.descr.BaseDescr;
import org.drools.drl.ast.descr.PackageDescr;

/** Checks what stands in a file beside its rules: the pack's own package, and nothing that means anything. */
final class HeaderCheck {
    private static final String REQUEST = "dev.countersign.rules.facts.Request";
    private static final String DECISION = "dev.countersign.rules.facts.Decision";

    private final Source source;
    private final List<Token> tokens;
    private final String packageName;

    HeaderCheck(Source source, List<Token> tokens, String packageName) {
        this.source = source;
        this.tokens = tokens;
        this.packageName = packageName;
    }

    void check(PackageDescr drl) {
        int before = source.errors();
        refuse(drl.getFunctionImports(), Code.G012, "functions and static members cannot be imported");
        refuse(drl.getAccumulateImports(), Code.G012, "accumulate functions cannot be imported");
        drl.getImports().forEach(imported -> {
            if (!imported.getTarget().equals(REQUEST) && !imported.getTarget().equals(DECISION)) {
                refuse(List.of(imported), Code.G012, "`" + imported.getTarget() + "` cannot be imported");
            }
        });
        drl.getGlobals().forEach(global -> {
            boolean decision =
                    global.getType().equals(DECISION) || global.getType().equals("Decision");
            if (!decision || !global.getIdentifier().equals("decision")) {
                refuse(List.of(global), Code.G013, "the one global is `decision`");
            }
        });
        refuse(drl.getFunctions(), Code.G014, "functions are not part of the dialect");
        refuse(drl.getTypeDeclarations(), Code.G014, "declared types are not part of the dialect");
        refuse(drl.getEnumDeclarations(), Code.G014, "declared enums are not part of the dialect");
        refuse(drl.getEntryPointDeclarations(), Code.G014, "entry points are not part of the dialect");
        refuse(drl.getWindowDeclarations(), Code.G014, "windows are not part of the dialect");
        refuse(drl.getAttributes(), Code.G025, "rule attributes are not part of the dialect");
        if (drl.getUnit() != null) {
            source.error(0, Code.G014, "units are not part of the dialect");
        }
        if (source.errors() == before) {
            shape(drl);
        }
    }

    private void refuse(Collection<? extends BaseDescr> found, Code code, String message) {
        found.forEach(descr -> source.error(place(descr), code, message, "remove it"));
    }

    private int place(BaseDescr descr) {
        return descr.getStartCharacter() >= 0
                ? descr.getStartCharacter()
                : source.offset(descr.getLine(), descr.getColumn() + 1);
    }

    /** Nothing may stand before the first rule but package, import and global; and nothing at all between rules. */
    private void shape(PackageDescr drl) {
        int from = 0;
        boolean header = true;
        for (var rule : drl.getRules()) {
            between(from, rule.getStartCharacter(), header);
            from = DrlText.end(tokens, rule).end();
            header = false;
        }
        between(from, source.text.length(), header);
    }

    private void between(int from, int to, boolean header) {
        var cursor = new Tokens(tokens, from, to);
        if (header) {
            packageLine(cursor);
            while (cursor.peek().is("import") || cursor.peek().is("global")) {
                boolean global = cursor.take().is("global");
                dotted(cursor);
                if (global) {
                    cursor.take();
                }
                cursor.take(";");
            }
        }
        if (!cursor.atEnd()) {
            Token token = cursor.peek();
            source.error(token.at(), Code.G014, "only rules may stand here, not " + token.shown());
        }
    }

    private void packageLine(Tokens cursor) {
        Token start = cursor.peek();
        if (!cursor.take("package")) {
            source.error(start.at(), Code.G010, "the file must start with `package " + packageName + "`");
            return;
        }
        Token name = cursor.peek();
        String given = dotted(cursor);
        if (!given.equals(packageName)) {
            source.error(
                    name.at(),
                    Code.G010,
                    "the package of this pack is `" + packageName + "`, not `" + given + "`",
                    "write `package " + packageName + "`",
                    packageName);
        }
        cursor.take(";");
    }

    private static String dotted(Tokens cursor) {
        var out = new StringBuilder(cursor.take().text());
        while (cursor.take(".")) {
            out.append('.').append(cursor.take().text());
        }
        return out.toString();
    }
}
