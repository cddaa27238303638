using Atrium.Core.Organizations;

namespace Atrium.Core.SignIns;

/// <summary>Which organizations a sign-in, and the grant it ends in, is for.</summary>
public abstract record OrganizationChoice
{
    private OrganizationChoice()
    {
    }

    /// <summary>Nobody has said yet.</summary>
    public static readonly OrganizationChoice Unchosen = new UnchosenCase();

    /// <summary>Every organization that the person is active in.</summary>
    public static readonly OrganizationChoice AllMemberships = new AllCase();

    /// <summary>None: the person signs in to the realm itself.</summary>
    public static readonly OrganizationChoice NoOrganization = new NoneCase();

    /// <summary>Exactly this one, for as long as the grant lives. It never widens.</summary>
    public sealed record Chosen(Id<Organization> Organization) : OrganizationChoice;

    /// <summary>The organization chosen, or null.</summary>
    public Id<Organization>? Selected => (this as Chosen)?.Organization;

    private sealed record UnchosenCase : OrganizationChoice;

    private sealed record AllCase : OrganizationChoice;

    private sealed record NoneCase : OrganizationChoice;

    /// <summary>How it is stored: a word, beside the id that only <see cref="Chosen"/> has.</summary>
    public string Word => this switch
    {
        AllCase => "all",
        NoneCase => "none",
        Chosen => "chosen",
        _ => "unchosen",
    };

    public static OrganizationChoice FromStored(string word, Id<Organization>? organization) => word switch
    {
        "all" => AllMemberships,
        "none" => NoOrganization,
        "chosen" => new Chosen(organization ?? throw new InvalidOperationException("A chosen organization is stored with its id.")),
        _ => Unchosen,
    };
}
