using System.Text;
using Atrium.Core.Clients;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Atrium.Server.Pages;

/// <summary>A hosted page as a handler's result: always with its headers, and with a model of the right type.</summary>
/// <remarks>
/// It renders with <see cref="HtmlRenderer"/> alone. The framework's own result for components needs its whole set of services,
/// which brings data protection, and with that a key ring in somebody's home directory.
/// </remarks>
public sealed class PageResult : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    private readonly Type page;
    private readonly object model;
    private readonly int statusCode;
    private readonly string? redirectUri;
    private readonly string? frameSource;

    private PageResult(Type page, object model, int statusCode, string? redirectUri, string? frameSource = null) =>
        (this.page, this.model, this.statusCode, this.redirectUri, this.frameSource) = (page, model, statusCode, redirectUri, frameSource);

    public int? StatusCode => statusCode;

    public string ContentType => "text/html; charset=utf-8";

    /// <param name="redirectUri">The client's registered redirect URI for this sign-in, since the form's answer may lead there.</param>
    public static PageResult SignIn(SignInModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(SignInPage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Code(CodeModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(CodePage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Account(AccountModel model, string? redirectUri) => new(typeof(AccountPage), model, StatusCodes.Status200OK, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Enrol(EnrolModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(EnrolPage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult RecoveryCodes(RecoveryCodesModel model, string? redirectUri) =>
        new(typeof(RecoveryCodesPage), model, StatusCodes.Status200OK, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult RecoveryCode(RecoveryCodeModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(RecoveryCodePage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Organization(OrganizationModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(OrganizationPage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Consent(ConsentModel model, string? redirectUri) => new(typeof(ConsentPage), model, StatusCodes.Status200OK, redirectUri);

    public static PageResult Applications(ApplicationsModel model) => new(typeof(ApplicationsPage), model, StatusCodes.Status200OK, redirectUri: null);

    /// <param name="redirectUri">Where the answer of the message's button may lead; null without a button.</param>
    public static PageResult Message(MessageModel model, int statusCode, string? redirectUri = null) =>
        new(typeof(MessagePage), model, statusCode, redirectUri);

    public static PageResult Invitation(InvitationModel model, int statusCode) => new(typeof(InvitationPage), model, statusCode, redirectUri: null);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult Mailbox(MailboxModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(MailboxPage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult MailedCode(MailedCodeModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(MailedCodePage), model, statusCode, redirectUri);

    /// <inheritdoc cref="SignIn"/>
    public static PageResult NewPassword(NewPasswordModel model, string? redirectUri, int statusCode = StatusCodes.Status200OK) =>
        new(typeof(NewPasswordPage), model, statusCode, redirectUri);

    /// <summary>Its frames may come from these clients' own origins and from nowhere else.</summary>
    public static PageResult SignedOut(SignedOutModel model)
    {
        string[] origins = [.. model.Frames.Select(WebOrigin.Of).OfType<string>().Distinct(StringComparer.Ordinal)];
        return new(typeof(SignedOutPage), model, StatusCodes.Status200OK, redirectUri: null, origins.Length == 0 ? null : string.Join(' ', origins));
    }

    public static PageResult Demo(DemoModel model) => new(typeof(DemoPage), model, StatusCodes.Status200OK, redirectUri: null);

    public static PageResult DemoMail(DemoMailModel model) => new(typeof(DemoMailPage), model, StatusCodes.Status200OK, redirectUri: null, frameSource: "'self'");

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var body = await RenderAsync(httpContext.RequestServices, page, model);
        var response = httpContext.Response;
        PageHeaders.Apply(response, redirectUri, frameSource);
        response.StatusCode = statusCode;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }

    /// <summary>The page as UTF-8, for one that is the same for everybody and kept.</summary>
    internal static async Task<byte[]> RenderAsync(IServiceProvider services, Type page, object model)
    {
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?>(StringComparer.Ordinal) { ["Model"] = model });
            return (await renderer.RenderComponentAsync(page, parameters)).ToHtmlString();
        });
        return Encoding.UTF8.GetBytes(html);
    }
}
