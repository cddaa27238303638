using Atrium.Server.Pages;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Pages;

public sealed class PageHeadersTests
{
    [Theory]
    [InlineData(null, "form-action 'self'")]
    [InlineData("", "form-action 'self'")]
    [InlineData("/callback", "form-action 'self'")]
    [InlineData("not a uri; script-src *", "form-action 'self'")]
    [InlineData("http://localhost:3000/callback?x=1", "form-action 'self' https: http://localhost:3000")]
    [InlineData("https://app.example.test/cb", "form-action 'self' https:")]
    [InlineData("https://app.example.test:443/cb", "form-action 'self' https:")]
    [InlineData("https://user:secret@app.example.test/cb", "form-action 'self' https:")]
    [InlineData("file:///etc/passwd", "form-action 'self'")]
    [InlineData("https://*/cb", "form-action 'self'")]
    [InlineData("https://a;script-src */cb", "form-action 'self'")]
    [InlineData("https://app.example.test/;script-src *", "form-action 'self' https:")]
    [InlineData("https://bücher.example/cb", "form-action 'self' https:")]
    [InlineData("com.example.app:/oauth2redirect", "form-action 'self' https: com.example.app:")]
    [InlineData("http://127.0.0.1:51004/cb", "form-action 'self' https: http://127.0.0.1:51004")]
    [InlineData("http://[::1]:51004/cb", "form-action 'self' https: http:")]
    public void The_form_may_end_at_the_redirect_uri_and_where_it_leads_on_by_https(string? redirectUri, string expected) =>
        PageHeaders.ContentSecurityPolicy(redirectUri).Split("; ").ShouldBe(
            ["default-src 'none'", "style-src 'self'", "img-src 'self' data:", expected, "frame-ancestors 'none'", "base-uri 'none'"]);
}
