using System.Runtime.Versioning;
using Atrium.Server.Keys;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Keys;

[UnsupportedOSPlatform("windows")]
public sealed class KeyFileTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("atrium-key-").FullName;

    private string KeyPath => Path.Combine(directory, "atrium.key");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void The_first_start_makes_a_key_and_the_next_one_reads_it()
    {
        var first = KeyFile.LoadOrCreate(KeyPath);
        var second = KeyFile.LoadOrCreate(KeyPath);

        (first.WasCreated, second.WasCreated).ShouldBe((true, false));
        BoxOf(second).Open(BoxOf(first).Seal("secret"u8, []), []).ShouldBe("secret"u8.ToArray());
        File.ReadAllText(KeyPath).ShouldMatch(@"^atrium-key-1:[A-Za-z0-9+/]{43}=\n$");
        Directory.GetFileSystemEntries(directory).ShouldBe([KeyPath]);
    }

    [Fact]
    public void Only_its_owner_can_read_a_new_key()
    {
        KeyFile.LoadOrCreate(KeyPath).Warning.ShouldBeNull();

        File.GetUnixFileMode(KeyPath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_key_open_to_others_is_used_with_a_warning(UnixFileMode open)
    {
        KeyFile.LoadOrCreate(KeyPath);
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | open);

        KeyFile.LoadOrCreate(KeyPath).Warning.ShouldBe(
            $"The key file {KeyPath} is open to other users of this machine. Run: chmod 600 {KeyPath}");
    }

    [Fact]
    public void A_missing_directory_is_made_for_the_owner_alone()
    {
        var path = Path.Combine(directory, "data", "keys", "atrium.key");
        KeyFile.LoadOrCreate(path).WasCreated.ShouldBeTrue();

        File.GetUnixFileMode(Path.GetDirectoryName(path)!)
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Who_starts_at_the_same_time_ends_with_the_same_key()
    {
        for (var round = 0; round < 20; round++)
        {
            using var start = new Barrier(4);
            var path = Path.Combine(directory, $"{round}.key");
            var files = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                start.SignalAndWait();
                return KeyFile.LoadOrCreate(path);
            })));

            files.Count(file => file.WasCreated).ShouldBe(1);
            var sealedSecret = BoxOf(files[0]).Seal("secret"u8, []);
            files.ShouldAllBe(file => BoxOf(file).Open(sealedSecret, Array.Empty<byte>()) != null);
        }
        Directory.GetFiles(directory).Length.ShouldBe(20);
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("atrium-key-1:")]
    [InlineData("atrium-key-1:AAAA")]
    [InlineData("atrium-key-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("atrium-key-1:not base64 at all")]
    [InlineData("atrium-key-2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    public void What_is_no_key_is_refused_with_advice_and_left_alone(string content)
    {
        File.WriteAllText(KeyPath, content);

        var refusal = Should.Throw<KeyFileException>(() => KeyFile.LoadOrCreate(KeyPath));
        refusal.Message.ShouldContain(KeyPath);
        refusal.Message.ShouldContain("Restore it from a backup");
        File.ReadAllText(KeyPath).ShouldBe(content);
    }

    [Fact]
    public void A_line_end_of_an_editor_does_no_harm()
    {
        File.WriteAllText(KeyPath, "atrium-key-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\n");

        KeyFile.LoadOrCreate(KeyPath).WasCreated.ShouldBeFalse();
    }

    [Fact]
    public void A_file_of_two_keys_opens_what_either_sealed_and_keeps_its_mode()
    {
        KeyFile one = KeyFile.LoadOrCreate(KeyPath);
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        KeyFile two = one.With([.. one.Keys, StorageKey.New()]);
        two.Keys[0].Fingerprint.ShouldMatch("^[0-9a-f]{16}$");
        two.Keys[0].Fingerprint.ShouldBe(one.Keys[0].Fingerprint);
        two.Keys[1].Fingerprint.ShouldNotBe(one.Keys[0].Fingerprint);
        BoxOf(two.Reload()).Open(BoxOf(one).Seal("secret"u8, []), []).ShouldBe("secret"u8.ToArray());
        File.GetUnixFileMode(KeyPath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Directory.GetFileSystemEntries(directory).ShouldBe([KeyPath]);
        BoxOf(one.With([two.Keys[1]])).Open(BoxOf(one).Seal("secret"u8, []), []).ShouldBeNull();
    }

    [Fact]
    public void A_torn_second_line_is_no_key()
    {
        KeyFile.LoadOrCreate(KeyPath);
        File.AppendAllText(KeyPath, "atrium-key-1:AAAA");
        Should.Throw<KeyFileException>(() => KeyFile.Load(KeyPath)).Message.ShouldContain("Restore it");
    }

    [Fact]
    public void Who_only_looks_makes_no_file()
    {
        Should.Throw<KeyFileException>(() => KeyFile.Load(KeyPath)).Message.ShouldContain(KeyPath);
        Directory.GetFileSystemEntries(directory).ShouldBeEmpty();
    }

    [Fact]
    public void A_path_that_cannot_be_a_file_is_refused_with_advice()
    {
        Directory.CreateDirectory(KeyPath);

        var refusal = Should.Throw<KeyFileException>(() => KeyFile.LoadOrCreate(KeyPath));
        refusal.Message.ShouldStartWith($"The key file {KeyPath} cannot be read or created: ");
        Directory.GetFileSystemEntries(directory).ShouldBe([KeyPath]);
    }

    private static SecretBox BoxOf(KeyFile file) => new(file.Keys);
}
