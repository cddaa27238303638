using System.CommandLine;
using System.Text.Json;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>The verbs of whoever keeps Atrium running: backups, the key file, and what is wrong.</summary>
public static class OperationCommands
{
    public static IEnumerable<Command> All(Shell shell, Func<ParseResult, AtriumOptions> optionsOf)
    {
        yield return Backup(shell, optionsOf);
        yield return Restore(shell, optionsOf);
        yield return new Command("key-file", "The key that secrets are encrypted under.") { RotateKeyFile(shell, optionsOf) };
        yield return Examine(shell, optionsOf);
    }

    private static Command Backup(Shell shell, Func<ParseResult, AtriumOptions> optionsOf)
    {
        Argument<string> file = new("file") { Description = "The new file; never written over one that is there." };
        Command command = new("backup", "Copies the SQLite database to a file, as it is at one moment, while a server runs or not.") { file };
        command.SetAction((parsed, cancellationToken) => CommandLine.TryAsync(shell, async () =>
        {
            AtriumOptions options = optionsOf(parsed);
            string path = Path.GetFullPath(parsed.GetRequiredValue(file));
            BackupLabel label = await Backups.TakeAsync(options.Database, path, AtriumVersion.Text, TimeProvider.System.GetUtcNow(), cancellationToken);
            shell.Output.WriteLine($"Backup {path}: {label.Bytes} bytes, schema {label.Schema}, taken {label.TakenAt:yyyy-MM-dd'T'HH:mm:ss'Z'} by Atrium {label.Version}");
            shell.Output.WriteLine(label.Keys.Count > 0
                ? $"It needs the key {string.Join(" and ", label.Keys)} of {Backbone.KeyFilePath(options)}, which is not in it: back that file up too, and keep the two apart."
                : $"It needs the key file {Backbone.KeyFilePath(options)}, which is not in it: back that file up too, and keep the two apart.");
            return 0;
        }));
        return command;
    }

    private static Command Restore(Shell shell, Func<ParseResult, AtriumOptions> optionsOf)
    {
        Argument<string> file = new("file") { Description = "What atrium backup wrote." };
        Option<bool> replace = new("--replace") { Description = "Takes the place of a database that is there; the old one is kept beside it." };
        Command command = new("restore", "Puts a backup in the place of the SQLite database. The server must not run.") { file, replace };
        command.SetAction((parsed, cancellationToken) => CommandLine.TryAsync(shell, async () =>
        {
            AtriumOptions options = optionsOf(parsed);
            string path = Path.GetFullPath(parsed.GetRequiredValue(file));
            string unpacked = Backups.UnpackBeside(options.Database);
            try
            {
                BackupLabel label = await Backups.UnpackAsync(path, unpacked, cancellationToken);
                await RefuseUnfitAsync(path, unpacked, label, Backbone.KeyFilePath(options), cancellationToken);
                string? aside = Backups.Install(unpacked, options.Database, parsed.GetValue(replace), TimeProvider.System.GetUtcNow());
                shell.Output.WriteLine($"Restored {path}: {label.Bytes} bytes, schema {label.Schema}, as of {label.TakenAt:yyyy-MM-dd'T'HH:mm:ss'Z'}");
                if (aside is not null)
                    shell.Output.WriteLine($"The database that was there is kept as {aside}; remove it when you don't need it any more.");
                shell.Output.WriteLine(label.Schema < Database.KnownSchema
                    ? $"The next start brings it from schema {label.Schema} to {Database.KnownSchema}. Start the server."
                    : "Start the server.");
                return 0;
            }
            finally
            {
                File.Delete(unpacked);
            }
        }));
        return command;
    }

    private static Command RotateKeyFile(Shell shell, Func<ParseResult, AtriumOptions> optionsOf)
    {
        Command command = new("rotate", "Exchanges the key for a new one, while servers run or not. Says what it did, and what to do before it can go on.");
        command.SetAction((parsed, cancellationToken) => CommandLine.TryAsync(shell, async () =>
        {
            AtriumOptions options = optionsOf(parsed);
            await using Backbone backbone = await Backbone.OpenAsync(options, TimeProvider.System, cancellationToken);
            KeyRotation rotation = new(new StorageKeyStore(backbone.Database), new NodeStore(backbone.Database), backbone.Clock);
            return await rotation.RunAsync(backbone.KeyFile, shell.Output.WriteLine, cancellationToken) ? 0 : 1;
        }));
        return command;
    }

    private static Command Examine(Shell shell, Func<ParseResult, AtriumOptions> optionsOf)
    {
        Option<bool> json = new("--json") { Description = "Answers in JSON." };
        Command command = new("doctor", "Looks whether everything is as it should be and says what to do; changes nothing. Ends with 1 when something is broken.") { json };
        command.SetAction((parsed, cancellationToken) => CommandLine.TryAsync(shell, async () =>
        {
            IReadOnlyList<Finding> findings = await new Doctor(optionsOf(parsed), TimeProvider.System).ExamineAsync(cancellationToken);
            shell.Output.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(DoctorReport.Of(findings), DoctorJson.Default.DoctorReport) + "\n" : DoctorReport.Text(findings, plain: Console.IsOutputRedirected));
            return findings.Any(static finding => finding.Verdict == Verdict.Bad) ? 1 : 0;
        }));
        return command;
    }

    /// <summary>A database that this program can't open, or whose secrets it can't, is found out before it takes a place.</summary>
    private static async Task RefuseUnfitAsync(string path, string unpacked, BackupLabel label, string keyFilePath, CancellationToken cancellationToken)
    {
        if (label.Schema > Database.KnownSchema)
        {
            throw new BackupException(
                $"The backup {path} has schema {label.Schema}, this program knows up to {Database.KnownSchema}. Restore it with Atrium {label.Version} or later. Nothing was changed.");
        }

        string needs = label.Keys.Count > 0 ? $"the key {string.Join(" and ", label.Keys)}" : "the key file that its database was made with";
        if (!File.Exists(keyFilePath))
            throw new BackupException($"The backup {path} needs {needs}, and there is no key file at {keyFilePath}. Put that file there, or name it with --key-file. Nothing was changed.");
        KeyFile keyFile = KeyFile.Load(keyFilePath);
        await using Database database = await Database.OpenAsItIsAsync($"Data Source={unpacked};Pooling=false", cancellationToken);
        if (StorageKeyRing.Missing(keyFile, label.Keys) is not null
            || await StorageKeyRing.UnopenedAsync(new StorageKeyStore(database), new SigningKeyStore(database), keyFile, cancellationToken) is not null)
        {
            throw new BackupException(
                $"The backup {path} needs {needs}; the key file {keyFilePath} has {string.Join(" and ", keyFile.Keys.Select(static key => key.Fingerprint))}. "
                + "Name the right one with --key-file. Nothing was changed.");
        }
    }
}
