using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>Where the secrets go that are made on the way: each is written down before the next thing is done, since nobody can look it up again.</summary>
internal sealed class SecretKeeper : IDisposable
{
    private static readonly string[] Fields = ["client_secret", "secret"];
    private readonly StreamWriter? file;

    private SecretKeeper(StreamWriter? file) => this.file = file;

    /// <summary>Opened before anything is done: a secret without a place would be lost.</summary>
    /// <param name="path">Only its owner can read it; what is in it stays. Null where secrets are shown.</param>
    public static SecretKeeper Open(string? path)
    {
        if (path is null)
            return new SecretKeeper(null);
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.Append, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                if (File.Exists(path) && (File.GetUnixFileMode(path) & ~options.UnixCreateMode) != 0)
                    throw new Refusal($"{path} can be read by others. Take their right (chmod 600), or name another file. Nothing was changed.", ExitCode.Usage);
            }

            return new SecretKeeper(new StreamWriter(path, options) { AutoFlush = true });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"--secrets-file: {e.Message} Nothing was changed.");
        }
    }

    /// <summary>The secret of something just made, to be shown; null when it has none, or a file keeps it.</summary>
    public string? Keep(Step step, JsonElement made)
    {
        if (Fields.Select(field => FieldText.At(made, field)).FirstOrDefault(static text => text.Length > 0) is not { } secret)
            return null;
        if (file is null)
            return secret;
        file.WriteLine(new JsonObject { ["kind"] = step.Kind.Resource.Thing, ["key"] = step.Key, ["secret"] = secret }
            .ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        ((FileStream)file.BaseStream).Flush(flushToDisk: true);
        return null;
    }

    public void Dispose() => file?.Dispose();
}
