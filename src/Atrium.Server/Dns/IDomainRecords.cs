namespace Atrium.Server.Dns;

/// <summary>What a name says of itself in the DNS.</summary>
public interface IDomainRecords
{
    /// <summary>The texts of the name's TXT records, none where there are none; null when nobody could tell just now.</summary>
    Task<IReadOnlyList<string>?> TextsAsync(string name, CancellationToken cancellationToken);
}
